import Deployments
import Manifests

/// Reads the manifests of new commits apart from the reconcile loop, one commit after the other: a commit of thousands
/// may take a second, and the loop must have a thread for itself meanwhile.
actor CommitReading {
    private let reader: ManifestReader
    private var memories: [String: ManifestMemory] = [:]

    init(reader: ManifestReader) {
        self.reader = reader
    }

    func read(_ snapshot: SourceSnapshot) -> DesiredCommit {
        let state = self.reader.read(
            snapshot.files,
            origin: snapshot.origin,
            knowing: &self.memories[snapshot.origin.repository, default: ManifestMemory()]
        )
        return DesiredCommit(origin: snapshot.origin, state: state, rewroteHistory: snapshot.rewroteHistory)
    }
}

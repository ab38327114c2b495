package import Deployments
import Foundation
package import Manifests

/// Reads the manifests of new commits apart from the reconcile loop.
///
/// What a commit of thousands of manifests says by itself is decoded by several threads, a few files at a time, so that
/// the loop never waits long for one of them; what its manifests say together is found out for one commit after the
/// other.
package actor CommitReading {
    private let reader: ManifestReader
    private let width: Int
    private var memories: [String: ManifestMemory] = [:]
    /// Of which commits they are.
    private var origins: [String: CommitReference] = [:]

    /// Below, starting tasks is more than they save.
    private static let few = 256
    /// Some milliseconds' worth.
    private static let slice = 64

    /// Of more than two cores one is left to the loop, of two it gets what is over between two slices.
    package init(reader: ManifestReader, cores: Int = ProcessInfo.processInfo.activeProcessorCount) {
        self.reader = reader
        self.width = cores > 2 ? cores - 1 : cores
    }

    package func read(_ snapshot: SourceSnapshot) async -> DesiredCommit {
        let repository = snapshot.origin.repository
        // A repository's next commit is not read before this one is, so what is known of it stays the same meanwhile.
        let changed = self.reader.undecoded(
            among: snapshot.files,
            knowing: self.memories[repository, default: ManifestMemory()]
        )
        let decoded = await self.decode(changed)
        let state = self.reader.read(
            snapshot.files,
            origin: snapshot.origin,
            knowing: &self.memories[repository, default: ManifestMemory()],
            decoded: decoded
        )
        self.origins[repository] = snapshot.origin
        return DesiredCommit(origin: snapshot.origin, state: state, rewroteHistory: snapshot.rewroteHistory)
    }

    /// Where each value of a deployment comes from, in the last commit that was read of a repository.
    ///
    /// - Returns: Nothing when none was read yet, or it does not hold the deployment.
    package func explain(_ id: DeploymentID, in repository: String) -> (spec: ExplainedSpec, origin: CommitReference)? {
        guard let memory = self.memories[repository], let origin = self.origins[repository] else { return nil }
        return self.reader.explain(id, knowing: memory).map { ($0, origin) }
    }

    /// - Returns: Nothing of files that are so few that the reader can decode them itself.
    private func decode(_ undecoded: ManifestReader.Undecoded) async -> [DecodedFile] {
        let (files, defaults) = (undecoded.files, undecoded.defaults)
        guard files.count > Self.few, self.width > 1 else { return [] }
        let reader = self.reader
        return await withTaskGroup(of: [DecodedFile].self) { group in
            var decoded: [DecodedFile] = []
            decoded.reserveCapacity(files.count)
            for (index, start) in stride(from: 0, to: files.count, by: Self.slice).enumerated() {
                // No more than there are threads for: what the loop has to do comes after those that are waiting.
                if index >= self.width, let slice = await group.next() { decoded += slice }
                let slice = files[start..<min(start + Self.slice, files.count)]
                group.addTask { reader.decode(slice, over: defaults) }
            }
            for await slice in group { decoded += slice }
            return decoded
        }
    }
}

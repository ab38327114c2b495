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
        let state =
            changed.files.count > Self.few && self.width > 1
            ? await self.readTogether(snapshot, changed)
            : self.reader.read(
                snapshot.files,
                origin: snapshot.origin,
                knowing: &self.memories[repository, default: ManifestMemory()]
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

    private func readTogether(
        _ snapshot: SourceSnapshot,
        _ changed: ManifestReader.Undecoded
    ) async -> DesiredState {
        let (repository, reader) = (snapshot.origin.repository, self.reader)
        let decoded = await self.inSlices(of: changed.files.indices) { range in
            reader.decode(changed.files[range], over: changed.defaults)
        }
        let commit = reader.gather(
            snapshot.files,
            origin: snapshot.origin,
            // It stays there as well: somebody may ask to have the last commit explained.
            knowing: self.memories[repository, default: ManifestMemory()],
            decoded: decoded
        )
        let resolved = await self.resolve(commit)
        let (state, memory) = reader.finish(consume commit, resolved)
        self.memories[repository] = memory
        return state
    }

    private func resolve(_ commit: GatheredCommit) async -> [GatheredCommit.Resolved] {
        await self.inSlices(of: commit.indices) { commit.resolve($0) }
    }

    /// What `work` makes of all of a range, in its order.
    private func inSlices<Element: Sendable>(
        of range: Range<Int>,
        _ work: @escaping @Sendable (Range<Int>) -> [Element]
    ) async -> [Element] {
        await withTaskGroup(of: (Int, [Element]).self) { group in
            var slices: [[Element]] = []
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.slice) {
                // No more than there are threads for: what the loop has to do comes after those that are waiting.
                if slices.count >= self.width, let (index, slice) = await group.next() { slices[index] = slice }
                let (index, end) = (slices.count, min(start + Self.slice, range.upperBound))
                slices.append([])
                group.addTask { (index, work(start..<end)) }
            }
            for await (index, slice) in group { slices[index] = slice }
            return Array(slices.joined())
        }
    }
}

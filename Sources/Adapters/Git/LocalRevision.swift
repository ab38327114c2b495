import CLibgit2
import Deployments
import Manifests
package import Reconciliation

/// A commit of a repository on this machine that nobody watches: a developer's clone, or continuous integration's.
package enum LocalRevision {
    /// What the daemon would read of it, by the same rules and limits.
    ///
    /// - Parameters:
    ///   - revision: As git takes it: `HEAD`, `origin/main`, `v1.2.3`, the id of a commit.
    ///   - place: A folder of the working tree, or the bare repository.
    ///   - folder: The watched folder, from the root of the repository; empty for all of it.
    ///   - limits: What a commit may hold.
    /// - Returns: The commit and its files; none when it has no such folder.
    /// - Throws: A `SourceError` that says what to do.
    package static func read(
        _ revision: String,
        at place: String,
        folder: String,
        limits: GitLimits = GitLimits()
    ) throws(SourceError) -> SourceSnapshot {
        let shown = PrintableText.line(revision, limit: 100)
        let store: ObjectStore
        let found: (id: ObjectID, commit: ObjectStore.Commit)?
        do throws(ObjectStore.Failure) {
            store = try ObjectStore(searchingFrom: place)
            if let id = try store.commit(named: revision) { found = (id, try store.commit(id)) } else { found = nil }
        } catch {
            throw Self.error(.unreadable, "\(error.message): run this in a clone of the repository")
        }
        guard let (id, commit) = found else {
            throw Self.error(
                .refused,
                "there is no commit \(shown) in the repository at \(place): fetch it (in continuous integration, check "
                    + "out the whole history, `fetch-depth: 0`)"
            )
        }
        return SourceSnapshot(
            origin: CommitReference(
                repository: "here",
                branch: shown,
                commit: id.text,
                subject: commit.subject,
                author: commit.author
            ),
            files: try Self.files(of: commit.tree, of: shown, folder: folder, in: store, limits: limits)
        )
    }

    private static func files(
        of tree: ObjectID,
        of revision: String,
        folder: String,
        in store: ObjectStore,
        limits: GitLimits
    ) throws(SourceError) -> [SourceFile] {
        do throws(ManifestTree.Failure) {
            return try ManifestTree.read(tree, folders: [folder], in: store, limits: limits).files
        } catch {
            switch error {
            case .unreadable(let text): throw Self.error(.unreadable, "at \(revision) \(text)")
            case .refused(let text): throw Self.error(.refused, "at \(revision) \(text)")
            case .tooLarge(let text): throw Self.error(.tooLarge, "at \(revision) \(text)")
            }
        }
    }

    static func error(_ code: SourceError.Code, _ message: String) -> SourceError {
        SourceError(code: code, message: message, recovery: .needsOperator)
    }
}

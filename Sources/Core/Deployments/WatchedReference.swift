/// What of a repository is watched.
package enum WatchedReference: Hashable, Sendable, CustomStringConvertible {
    /// Without `refs/heads/`.
    case branch(String)
    /// Without `refs/tags/`.
    case tag(String)
    /// All 40 hexadecimal digits, in lower case.
    case commit(String)
    /// The highest version among the tags.
    case versions(VersionRange)

    /// For people: `main`, `tag v1.2.3`, `commit 0123456789`, `versions ^1.2`.
    package var description: String {
        switch self {
        case .branch(let name): name
        case .tag(let name): "tag \(name)"
        case .commit(let id): "commit \(id.prefix(10))"
        case .versions(let range): "versions \(range)"
        }
    }

    /// The same with all of a commit's id: two that are equal here are one.
    package var key: String {
        if case .commit(let id) = self { "commit \(id)" } else { self.description }
    }

    /// Of the branch or tag itself.
    package var name: String {
        switch self {
        case .branch(let name), .tag(let name): name
        case .commit: "commit"
        case .versions(let range): range.description
        }
    }
}

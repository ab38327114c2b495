package import ControllerAPI
import ControllerWords

/// How a deployment stands, in the order in which somebody should look.
package enum Standing: String, CaseIterable, Sendable {
    case broken
    case unseen
    case held
    case quarantined
    case misdeclared
    case rollingOut = "rolling-out"
    case outOfSync = "out-of-sync"
    case healthy

    /// All that is true of it, what matters most first.
    package static func all(of status: DeploymentStatus) -> [Standing] {
        var all: [Standing] = []
        if status.health == .degraded, !Self.isBack(status) { all.append(.broken) }
        if status.health == .unknown { all.append(.unseen) }
        if !status.holds.isEmpty || status.health == .held { all.append(.held) }
        if status.quarantined.contains(where: { $0.revision == status.desiredRevision }) { all.append(.quarantined) }
        if !status.diagnostics.isEmpty || status.modelUpdate?.isProblem == true { all.append(.misdeclared) }
        if status.canary != nil || status.phase == "baking" || status.phase == "removing" { all.append(.rollingOut) }
        if let desired = status.desiredRevision, desired != status.newest?.revision { all.append(.outOfSync) }
        return all.isEmpty ? [.healthy] : all
    }

    /// What git names failed, and all traffic is where it was before, on enough replicas: nobody is hurt any more.
    static func isBack(_ status: DeploymentStatus) -> Bool {
        guard status.phase == "settled", status.canary == nil, let stable = status.stable else { return false }
        return stable.ready >= stable.wantedReplicas && stable.wantedReplicas > 0
            && status.quarantined.contains { $0.revision == status.desiredRevision }
    }

    package static func of(_ status: DeploymentStatus) -> Standing { self.all(of: status)[0] }

    /// On badges and filters.
    var title: String {
        switch self {
        case .broken: "Broken"
        case .unseen: "Out of sight"
        case .held: "Held"
        case .quarantined: "Quarantined"
        case .misdeclared: "Problem in git"
        case .rollingOut: "Rolling out"
        case .outOfSync: "Out of sync"
        case .healthy: "Healthy"
        }
    }

    /// For whoever does not know the word.
    var meaning: String {
        switch self {
        case .broken: "too few replicas serve, or traffic is being taken back"
        case .unseen: "the controller does not see its replicas or its router"
        case .held: "something or somebody stops its progress"
        case .quarantined: "git names a revision that failed and gets no traffic"
        case .misdeclared: "its newest manifest or its model's alias has a problem"
        case .rollingOut: "on its way to another revision, or watched after that"
        case .outOfSync: "what git names is not what serves, and not on its way"
        case .healthy: "what git names serves all traffic"
        }
    }

    /// Beside the colour, for those who do not see it.
    private var mark: String {
        switch self {
        case .broken: "✖"
        case .unseen: "?"
        case .held: "‖"
        case .quarantined: "⊘"
        case .misdeclared: "!"
        case .rollingOut: "▶"
        case .outOfSync: "≠"
        case .healthy: "✔"
        }
    }

    var badge: HTML {
        "<span class=\"badge \(self.rawValue)\"><span aria-hidden=\"true\">\(self.mark)</span> \(self.title)</span>"
    }
}

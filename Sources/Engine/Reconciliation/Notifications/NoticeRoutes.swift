import Deployments

/// Who is told of what.
package struct NoticeRoutes: Hashable, Sendable {
    package struct Route: Hashable, Sendable {
        /// Exact, or with `*` at the end for all that begin so; empty for every one, and for what has none.
        package var namespaces: [String]
        /// All of them must be the deployment's.
        package var labels: [String: String]
        /// Empty for every one.
        package var severities: Set<Notice.Severity>
        /// Kinds of events and conditions; empty for every one.
        package var events: Set<String>
        package var receivers: [String]
        package var groupBy: [GroupKey]
        /// From a group's first event until it is sent.
        package var groupWait: Duration
        /// Whether the routes after it are looked at, too.
        package var continues: Bool

        package init(
            namespaces: [String] = [],
            labels: [String: String] = [:],
            severities: Set<Notice.Severity> = [],
            events: Set<String> = [],
            receivers: [String],
            groupBy: [GroupKey] = GroupKey.usual,
            groupWait: Duration = .seconds(10),
            continues: Bool = false
        ) {
            self.namespaces = namespaces
            self.labels = labels
            self.severities = severities
            self.events = events
            self.receivers = receivers
            self.groupBy = groupBy
            self.groupWait = groupWait
            self.continues = continues
        }
    }

    /// What the events of one message have in common.
    package enum GroupKey: String, Hashable, Sendable, CaseIterable {
        case namespace, deployment, commit, severity, event

        /// One deployment's rollout, and the rollouts of all deployments of a namespace by one commit.
        package static let usual: [GroupKey] = [.namespace, .commit]
    }

    /// What routes go by.
    struct Subject {
        var kind: String
        var severity: Notice.Severity
        /// Nothing when it is about no deployment.
        var namespace: String?
        var labels: [String: String]
    }

    package var routes: [Route]

    package init(_ routes: [Route] = []) { self.routes = routes }

    /// Each receiver once, with the route that names it first.
    func receivers(of subject: Subject) -> [(name: String, route: Route)] {
        var found: [(name: String, route: Route)] = []
        for route in self.routes where route.selects(subject) {
            for name in route.receivers where !found.contains(where: { $0.name == name }) {
                found.append((name, route))
            }
            if !route.continues { break }
        }
        return found
    }

    func route(of notice: Notice, to receiver: String) -> Route? {
        self.receivers(of: Subject(notice)).first { $0.name == receiver }?.route
    }
}

extension NoticeRoutes.Route {
    fileprivate func selects(_ subject: NoticeRoutes.Subject) -> Bool {
        guard self.severities.isEmpty || self.severities.contains(subject.severity),
            self.events.isEmpty || self.events.contains(subject.kind),
            self.labels.allSatisfy({ subject.labels[$0.key] == $0.value })
        else { return false }
        guard !self.namespaces.isEmpty else { return true }
        guard let namespace = subject.namespace else { return false }
        return self.namespaces.contains { pattern in
            pattern.hasSuffix("*") ? namespace.hasPrefix(pattern.dropLast()) : namespace == pattern
        }
    }

    /// What is the same for all events of a message.
    func group(of notice: Notice) -> [String] {
        self.groupBy.map { key in
            switch key {
            case .namespace: notice.namespace
            case .deployment: notice.deployment
            case .commit: notice.commit?.commit ?? ""
            case .severity: notice.severity.rawValue
            case .event: notice.kind
            }
        }
    }
}

extension NoticeRoutes.Subject {
    init(_ notice: Notice) {
        self.init(
            kind: notice.kind,
            severity: notice.severity,
            namespace: notice.namespace,
            labels: notice.labels
        )
    }

    init(_ alert: Alert) {
        self.init(
            kind: alert.condition.rawValue,
            severity: alert.severity,
            namespace: alert.deployment?.namespace,
            labels: alert.labels
        )
    }
}

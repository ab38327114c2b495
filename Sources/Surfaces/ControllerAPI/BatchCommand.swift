package import Deployments
package import Foundation

/// What an operator asks of many deployments at once.
package struct BatchRequest: Codable, Hashable, Sendable {
    package var verb: Verb
    /// As in an ``OperatorRequest``.
    package var by: String
    package var why: String
    /// `pause`: when it ends by itself.
    package var until: Date?
    package var selection: DeploymentSelection

    /// Those that take nothing from users, whomever they are asked of.
    package enum Verb: String, Codable, Hashable, Sendable, CaseIterable {
        case pause, resume
    }

    package init(
        verb: Verb,
        by: String = "",
        why: String = "",
        until: Date? = nil,
        selection: DeploymentSelection
    ) {
        self.verb = verb
        self.by = by
        self.why = why
        self.until = until
        self.selection = selection
    }

    /// The verb and the selection are required.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            verb: try container.decode(Verb.self, forKey: .verb),
            by: try container.decodeIfPresent(String.self, forKey: .by) ?? "",
            why: try container.decodeIfPresent(String.self, forKey: .why) ?? "",
            until: try container.decodeIfPresent(Date.self, forKey: .until),
            selection: try container.decode(DeploymentSelection.self, forKey: .selection)
        )
    }
}

/// Which deployments are meant: those of which all that is said here is true. Who says nothing must say `all`.
package struct DeploymentSelection: Codable, Hashable, Sendable {
    /// `namespace/name`; any of them.
    package var names: [String]?
    package var namespace: String?
    /// All of these must be a deployment's labels.
    package var labels: [String: String]?
    package var all: Bool?
    /// Only those in these namespaces: the server says where the caller may.
    package var within: [String]?

    package init(
        names: [String]? = nil,
        namespace: String? = nil,
        labels: [String: String]? = nil,
        all: Bool? = nil
    ) {
        self.names = names
        self.namespace = namespace
        self.labels = labels
        self.all = all
    }

    /// Whether it says whom it means: an empty one is a mistake, and not everybody.
    package var isMeant: Bool {
        let says = self.names?.isEmpty == false || self.namespace != nil || self.labels?.isEmpty == false
        return says != (self.all ?? false)
    }

    package func selects(_ id: DeploymentID, labels: [String: String]) -> Bool {
        (self.names?.contains(id.description) ?? true)
            && (self.namespace.map { $0 == id.namespace } ?? true)
            && (self.within.map { $0.contains(id.namespace) } ?? true)
            && (self.labels ?? [:]).allSatisfy { labels[$0.key] == $0.value }
    }
}

/// What became of each, sorted by name.
package struct BatchAnswer: Codable, Hashable, Sendable {
    package var answers: [Entry]
    /// The namespaces that were looked at, where the caller may not ask it everywhere.
    package var within: [String]?

    package struct Entry: Codable, Hashable, Sendable {
        package var deployment: String
        package var accepted: Bool
        package var changed: Bool
        package var message: String

        package init(deployment: String, _ answer: OperatorAnswer) {
            self.deployment = deployment
            self.accepted = answer.accepted
            self.changed = answer.changed
            self.message = answer.message
        }
    }

    package init(answers: [Entry]) { self.answers = answers }
}

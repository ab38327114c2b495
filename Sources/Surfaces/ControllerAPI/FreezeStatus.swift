package import Foundation

/// A freeze that an operator asked for, and that stands.
package struct FreezeStatus: Codable, Hashable, Sendable {
    package var id: Int64
    /// Nothing is every namespace.
    package var namespace: String?
    /// All of these must be a deployment's labels; nothing is whatever it has.
    package var labels: [String: String]?
    package var by: String
    package var why: String
    package var since: Date
    package var until: Date

    package init(
        id: Int64,
        namespace: String?,
        labels: [String: String]?,
        by: String,
        why: String,
        since: Date,
        until: Date
    ) {
        self.id = id
        self.namespace = namespace
        self.labels = labels
        self.by = by
        self.why = why
        self.since = since
        self.until = until
    }

    /// `all deployments`, `namespace search`, `team=search in namespace search`.
    package var selection: String {
        let labels = (self.labels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            .joined(separator: ",")
        guard let namespace = self.namespace else { return labels.isEmpty ? "all deployments" : labels }
        return labels.isEmpty ? "namespace \(namespace)" : "\(labels) in namespace \(namespace)"
    }
}

/// Asks that nothing new be rolled out for a time.
package struct FreezeRequest: Codable, Hashable, Sendable {
    /// As in an ``OperatorRequest``.
    package var by: String
    package var why: String
    package var until: Date
    /// Without names: who means some deployments pauses them.
    package var selection: DeploymentSelection

    package init(by: String = "", why: String, until: Date, selection: DeploymentSelection) {
        self.by = by
        self.why = why
        self.until = until
        self.selection = selection
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            by: try container.decodeIfPresent(String.self, forKey: .by) ?? "",
            why: try container.decode(String.self, forKey: .why),
            until: try container.decode(Date.self, forKey: .until),
            selection: try container.decode(DeploymentSelection.self, forKey: .selection)
        )
    }

    /// The most characters of a reason.
    package static let reasonLimit = 1000

    /// What is wrong with it, in words; nothing when it can be asked.
    package var problem: String? {
        if self.selection.names != nil || !self.selection.isMeant {
            return "`selection` must have `namespace` or `labels`, or `all`: true and none of them; a few deployments "
                + "are paused by name instead"
        }
        let reason = self.why.trimmingCharacters(in: .whitespacesAndNewlines)
        if reason.isEmpty { return "`why` must say what the freeze is for: everybody whom it stops will ask" }
        if self.why.count > Self.reasonLimit { return "`why` may have at most \(Self.reasonLimit) characters" }
        return nil
    }
}

package struct FreezeAnswer: Codable, Hashable, Sendable {
    /// As in an ``OperatorAnswer``.
    package var accepted: Bool
    package var changed: Bool
    package var message: String
    /// The one that begins or ends.
    package var freeze: FreezeStatus?

    package init(accepted: Bool, changed: Bool, message: String, freeze: FreezeStatus? = nil) {
        self.accepted = accepted
        self.changed = changed
        self.message = message
        self.freeze = freeze
    }
}

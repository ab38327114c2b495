package import Deployments

/// Asks that a deployment's manifest name another version of its model.
package struct ModelRequest: Codable, Hashable, Sendable {
    /// A version of the registry, such as `8`, or an alias, such as `@champion`.
    package var to: String
    /// `sha256:…`; nothing for what the registry says.
    package var digest: String?
    package var mode: ModelPromotion.Mode
    /// Only say what would be done.
    package var dryRun: Bool
    /// As in ``OperatorRequest/by``.
    package var by: String
    package var why: String

    package init(
        to: String,
        digest: String? = nil,
        mode: ModelPromotion.Mode = .branch,
        dryRun: Bool = false,
        by: String = "",
        why: String = ""
    ) {
        self.to = to
        self.digest = digest
        self.mode = mode
        self.dryRun = dryRun
        self.by = by
        self.why = why
    }

    /// Only `to` is required, so that a request can be written by hand.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            to: try container.decode(String.self, forKey: .to),
            digest: try container.decodeIfPresent(String.self, forKey: .digest),
            mode: try container.decodeIfPresent(ModelPromotion.Mode.self, forKey: .mode) ?? .branch,
            dryRun: try container.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false,
            by: try container.decodeIfPresent(String.self, forKey: .by) ?? "",
            why: try container.decodeIfPresent(String.self, forKey: .why) ?? ""
        )
    }

    /// What `to` names; nothing when it is neither a version nor an alias.
    package var selector: ModelReference.Selector? {
        if self.to.hasPrefix("@") {
            let alias = String(self.to.dropFirst())
            return ModelReference.isAlias(alias) ? .alias(alias) : nil
        }
        // Read as the end of a URI, so that both take the same versions.
        return ModelReference("\(ModelReference.scheme)/m/\(self.to)")?.selector
    }

    package static func isDigest(_ text: String) -> Bool { text.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil }
}

/// What is proposed, or would be.
package struct ModelAnswer: Codable, Hashable, Sendable {
    /// False when it was refused; `message` then says why and what to do.
    package var accepted: Bool
    /// Whether something is proposed.
    package var changed: Bool
    package var message: String
    /// The model's name in the registry, the version that git names, and the one that it is to name; nothing when it
    /// was refused before these were known.
    package var model: String?
    package var from: String?
    package var version: String?
    package var digest: String?
    /// What whoever merges it should know.
    package var warnings: [String]
    /// Of a dry run: what the commit would change, as `diff -u` writes it.
    package var diff: String?

    package init(
        accepted: Bool,
        changed: Bool,
        message: String,
        promotion: ModelPromotion? = nil,
        diff: String? = nil
    ) {
        self.accepted = accepted
        self.changed = changed
        self.message = message
        self.model = promotion?.model
        self.from = promotion?.previous
        self.version = promotion?.version
        self.digest = promotion?.digest
        self.warnings = promotion?.warnings ?? []
        self.diff = diff
    }
}

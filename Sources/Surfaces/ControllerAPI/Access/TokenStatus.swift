package import Foundation

/// A token as it is listed: everything but the secret, of which only a hash is kept.
package struct TokenStatus: Codable, Hashable, Sendable {
    /// The beginning of the token, by which it is found and revoked.
    package var id: String
    package var name: String
    package var grants: [Grant]
    package var created: Date
    /// Who had it made.
    package var createdBy: String
    package var expires: Date
    /// Since the controller started.
    package var lastUsed: Date?

    package init(id: String, name: String, grants: [Grant], created: Date, createdBy: String, expires: Date) {
        self.id = id
        self.name = name
        self.grants = grants
        self.created = created
        self.createdBy = createdBy
        self.expires = expires
    }
}

/// What `controller token create` asks for.
package struct TokenRequest: Codable, Hashable, Sendable {
    /// Who or what has it: 1 to 64 letters, digits, and `._@-`.
    package var name: String
    /// At least one.
    package var grants: [Grant]
    /// Seconds, at most ``TokenRequest/longest``.
    package var lifetime: Int

    package static let longest = 366 * 24 * 3600

    package init(name: String, grants: [Grant], lifetime: Int) {
        self.name = name
        self.grants = grants
        self.lifetime = lifetime
    }

    /// Why it cannot be made; nothing when it can.
    package var problem: String? {
        if self.name.utf8.count > 64 || self.name.wholeMatch(of: /[A-Za-z0-9._@-]+/) == nil {
            return "a token's name has 1 to 64 letters, digits, and . _ @ -"
        }
        if !(60...Self.longest).contains(self.lifetime) {
            return "a token lives from a minute to \(Self.longest / 86_400) days"
        }
        if self.grants.isEmpty || self.grants.count > 100 { return "a token has 1 to 100 grants" }
        for grant in self.grants {
            if grant.role == nil, grant.verbs.isEmpty { return "a grant names a role or verbs" }
            if let namespaces = grant.namespaces, namespaces.isEmpty || namespaces.count > 1000 {
                return "a grant names 1 to 1000 namespaces, or none for all"
            }
        }
        return nil
    }
}

/// The answer to a ``TokenRequest``, and the only time that the token is told.
package struct TokenAnswer: Codable, Hashable, Sendable {
    package var token: String
    package var status: TokenStatus

    package init(token: String, status: TokenStatus) {
        self.token = token
        self.status = status
    }
}

/// Who asks, as the controller sees it.
package struct CallerStatus: Codable, Hashable, Sendable {
    package var caller: Caller
    package var grants: [Grant]
    /// When the credential ends.
    package var expires: Date?

    package init(caller: Caller, grants: [Grant], expires: Date? = nil) {
        self.caller = caller
        self.grants = grants
        self.expires = expires
    }
}

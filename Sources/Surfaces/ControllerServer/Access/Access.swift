package import ControllerAPI
package import Foundation

/// Who asks, and what they may do.
package struct Access: Hashable, Sendable {
    package var caller: Caller
    package var grants: [Grant]
    /// When the credential ends.
    package var expires: Date?

    package init(caller: Caller, grants: [Grant], expires: Date? = nil) {
        self.caller = caller
        self.grants = grants
        self.expires = expires
    }

    /// Whether it may be done there; without a namespace, whether it may be done to what belongs to none.
    package func may(_ verb: AccessVerb, in namespace: String?) -> Bool {
        self.grants.contains { $0.gives(verb, in: namespace) }
    }

    /// Where it may be done, sorted; nothing for everywhere.
    func namespaces(for verb: AccessVerb) -> [String]? {
        guard !self.may(verb, in: nil) else { return nil }
        let named = Set(self.grants.flatMap { $0.namespaces ?? [] })
        return named.filter { self.may(verb, in: $0) }.sorted()
    }

    /// Whether everything may be seen, and need not be filtered.
    var seesAll: Bool { self.may(.view, in: nil) }

    func sees(_ namespace: String) -> Bool { self.may(.view, in: namespace) }

    /// - Throws: A `Problem` that says what is missing.
    func require(_ verb: AccessVerb, in namespace: String?) throws(Problem) {
        guard self.may(verb, in: namespace) else {
            let place = namespace.map { "in the namespace \($0)" } ?? "in all namespaces"
            let remedy =
                self.caller.way == .socket
                ? "only the controller's own user and root may"
                : "ask an administrator for the verb \(verb.rawValue) there"
            throw Problem(
                status: 403,
                title: "Forbidden",
                detail: "\(self.caller.attribution) may not \(verb.rawValue) \(place): \(remedy)"
            )
        }
    }
}

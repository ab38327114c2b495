/// Who asks something of the controller, and by which way.
package struct Caller: Codable, Hashable, Sendable {
    /// A user of this machine (`root (sudo: alice)`), a token's name, or what an identity provider calls a person.
    package var name: String
    package var way: Way
    /// The token's id or the identity provider's issuer; nothing on the socket.
    package var credential: String?
    /// The other end of the connection, without its port; nothing on the socket.
    package var address: String?

    package enum Way: String, Codable, Hashable, Sendable, CaseIterable {
        /// The unix socket, whose peer the kernel names.
        case socket
        /// A token that `controller token create` made.
        case token
        /// A token of an identity provider.
        case oidc
    }

    package init(name: String, way: Way, credential: String? = nil, address: String? = nil) {
        self.name = name
        self.way = way
        self.credential = credential
        self.address = address
    }
}

extension Caller {
    /// As it is recorded with what was done: a token or a person of an identity provider cannot be taken for a user of
    /// this machine.
    package var attribution: String {
        switch self.way {
        case .socket: self.name
        case .token: "token:\(self.name)"
        case .oidc: "oidc:\(self.name)"
        }
    }
}

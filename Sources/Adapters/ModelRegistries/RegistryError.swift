package import Transport

/// Why a registry did not say what it was asked. Its message names the registry and what to do, never a secret.
package struct RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// There is no such model, version or file.
        case notFound
        /// The model has no such alias.
        case aliasMissing
        /// The files lie where the registry's server does not hand them out.
        case notServed
        /// It does not take the credentials, or they do not suffice.
        case unauthorized
        /// A secret or an address of the configuration is of no use.
        case notConfigured
        case unreachable
        case timedOut
        /// What answered is not a registry, or says what cannot be.
        case badAnswer
        case tooLarge
        case cancelled
    }

    package var code: Code
    package var message: String
    package var recovery: TransportError.Recovery

    package init(code: Code, message: String, recovery: TransportError.Recovery = .needsOperator) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }
}

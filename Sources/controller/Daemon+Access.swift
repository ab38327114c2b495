import ControllerCommands
import ControllerServer
import Foundation
import IdentityProviders
import Logging
import ServiceLifecycle
import Transport

extension Daemon {
    /// Nothing when they cannot be read: what the socket gives goes on, and nobody gets in over the network.
    var tokens: TokenStore? {
        do throws(ControllerServerError) {
            return try TokenStore(path: "\(self.configuration.stateDirectory)/tokens.json") { Date() }
        } catch {
            self.logger.error("tokens are of no use", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// The API over TLS, where it is wanted, and what keeps an identity provider's keys.
    func remote(_ server: APIServer, _ tokens: TokenStore?, _ refusals: AccessLedger) -> [any Service] {
        guard let api = self.configuration.api, let tokens else { return [] }
        let provider = api.oidc.map { oidc in
            OpenIDProvider(
                configuration: OpenIDConfiguration(oidc),
                client: HTTPClient(),
                logger: self.logger,
                now: { Date() }
            )
        }
        let authenticator = Authenticator(
            tokens: tokens,
            verifier: provider.map { self.verifier($0) },
            bindings: api.access.map {
                Authenticator.Binding(users: $0.users, groups: $0.groups, grant: $0.grant)
            },
            sessions: self.sessions,
            ledger: refusals
        )
        let listener = RemoteAPIServer.Listener(
            host: api.listen.host,
            port: api.listen.port,
            certificateFile: api.certificateFile,
            keyFile: api.keyFile
        )
        let keys: [any Service] = provider.map { provider in [Adapter { try await provider.run() }] } ?? []
        return keys + [server.remote(listener, authenticator: authenticator)]
    }

    /// Nothing when their key cannot be kept: nobody can log in on the page then, and tokens count as ever.
    private var sessions: SessionCookie? {
        do throws(ControllerServerError) {
            return try SessionCookie.keyFile("\(self.configuration.stateDirectory)/session.key")
        } catch {
            self.logger.error("nobody can log in on the page", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func verifier(_ provider: OpenIDProvider) -> Authenticator.Verifier {
        let logger = self.logger
        return { token throws(Authenticator.Refusal) in
            do throws(OpenIDError) {
                let person = try await provider.verify(token)
                return Authenticator.Person(
                    name: person.name,
                    groups: person.groups,
                    issuer: person.issuer,
                    expires: person.expires
                )
            } catch {
                switch error {
                case .unavailable(let reason): throw .unavailable(reason)
                case .invalid(let reason):
                    logger.debug("token of the identity provider refused", metadata: ["access.why": "\(reason)"])
                    throw .invalid
                }
            }
        }
    }
}

extension OpenIDConfiguration {
    init(_ oidc: Configuration.OIDC) {
        self.init(
            issuer: oidc.issuer,
            audience: oidc.audience,
            nameClaim: oidc.nameClaim,
            groupsClaim: oidc.groupsClaim,
            caFile: oidc.caFile
        )
    }
}

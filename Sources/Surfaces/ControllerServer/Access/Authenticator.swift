package import ControllerAPI
package import Foundation
import Hummingbird

/// Finds out who sent a request over the network.
package struct Authenticator: Sendable {
    /// A person whom an identity provider vouches for.
    package struct Person: Hashable, Sendable {
        package var name: String
        package var groups: [String]
        package var issuer: String
        package var expires: Date

        package init(name: String, groups: [String], issuer: String, expires: Date) {
            self.name = name
            self.groups = groups
            self.issuer = issuer
            self.expires = expires
        }
    }

    /// Who of an identity provider may do what.
    package struct Binding: Hashable, Sendable {
        package var users: [String]
        package var groups: [String]
        package var grant: Grant

        package init(users: [String], groups: [String], grant: Grant) {
            self.users = users
            self.groups = groups
            self.grant = grant
        }
    }

    /// Why a person is not known.
    package enum Refusal: Error, Hashable, Sendable {
        /// The token is none, has ended, or is not meant for this controller.
        case invalid
        /// The identity provider's keys cannot be had.
        case unavailable(String)
    }

    package typealias Verifier = @Sendable (_ token: String) async throws(Refusal) -> Person

    private let tokens: TokenStore
    private let verifier: Verifier?
    private let bindings: [Binding]
    private let sessions: SessionCookie?
    private let now: @Sendable () -> Date
    private let ledger: AccessLedger
    /// Wrong credentials of one address: a person's typing errors, not a search.
    private let guesses = RateLimiter(rate: 0.2, burst: 20)
    private let reads = RateLimiter(rate: 100, burst: 400)
    /// Apart from reads, so that a dashboard that runs wild keeps nobody from the brakes.
    private let commands = RateLimiter(rate: 20, burst: 100)

    static let longestToken = 16 << 10

    /// - Parameters:
    ///   - tokens: Those that this controller made.
    ///   - verifier: Asks the identity provider's keys; nothing where there is none.
    ///   - bindings: What people of the identity provider may do.
    ///   - sessions: Signs and reads cookies; nothing where nobody can log in on the page.
    ///   - now: Says when sessions have ended.
    ///   - ledger: Notes what is refused.
    package init(
        tokens: TokenStore,
        verifier: Verifier? = nil,
        bindings: [Binding] = [],
        sessions: SessionCookie? = nil,
        now: @escaping @Sendable () -> Date = { Date() },
        ledger: AccessLedger
    ) {
        self.tokens = tokens
        self.verifier = verifier
        self.bindings = bindings
        self.sessions = sessions
        self.now = now
        self.ledger = ledger
    }

    /// Who sent a request, by its bearer token, or else by the cookie of somebody who has logged in.
    ///
    /// - Throws: A `Problem`, which tells nobody why a credential is wrong, or `RetryLater`.
    func authenticate(_ request: Request, from address: String?) async throws -> Identity {
        let asked = "\(request.method.rawValue) \(request.uri.path)"
        let identity: Identity
        if let credential = Self.bearer(request) {
            identity = Identity(access: try await self.check(credential, asked: asked, from: address))
        } else if let cookie = Self.cookie(request), let access = self.access(cookie: cookie, from: address) {
            identity = Identity(access: access, cookie: cookie)
        } else {
            self.ledger.note(.missing, caller: nil, address: address, request: asked)
            throw Self.unauthorized
        }
        let caller = identity.access.caller
        let limiter = request.method == .get || request.method == .head ? self.reads : self.commands
        if let seconds = limiter.take("\(caller.way) \(caller.credential ?? "") \(caller.name)", at: .now) {
            self.ledger.note(.rate, caller: caller, address: address, request: asked)
            throw RetryLater(seconds: seconds)
        }
        return identity
    }

    struct Identity {
        var access: Access
        /// Of somebody who has logged in.
        var cookie: String?
    }

    /// Somebody logs in.
    ///
    /// - Returns: The value of their cookie, and when it ends.
    /// - Throws: As ``authenticate(_:from:)`` does.
    func logIn(with credential: String, from address: String?) async throws -> (value: String, ends: Date) {
        let access = try await self.check(credential, asked: "POST /login", from: address)
        guard let sessions = self.sessions else { throw Self.unauthorized }
        let end = min(access.expires ?? .distantFuture, self.now().addingTimeInterval(SessionCookie.longest))
        return (try sessions.value(for: access, at: self.now()), end)
    }

    func formToken(for cookie: String) -> String? { self.sessions?.formToken(for: cookie) }

    func isValid(formToken: String, for cookie: String) -> Bool {
        self.sessions?.isValid(formToken: formToken, for: cookie) ?? false
    }

    private func check(_ credential: String, asked: String, from address: String?) async throws -> Access {
        do throws(Refusal) {
            if let access = try await self.access(credential, from: address) { return access }
        } catch .unavailable(let reason) {
            self.ledger.note(.unavailable, caller: nil, address: address, request: asked)
            throw Problem(status: 503, title: "Identity provider unavailable", detail: reason)
        } catch {
            // It is none.
        }
        // Only those that fail wait: a valid token is never locked out by somebody behind the same address.
        if let seconds = self.guesses.take(address ?? "", at: .now) {
            self.ledger.note(.guessing, caller: nil, address: address, request: asked)
            throw RetryLater(seconds: seconds)
        }
        self.ledger.note(.invalid, caller: nil, address: address, request: asked)
        throw Self.unauthorized
    }

    /// A token's session ends with the token, and has the grants that it has now.
    private func access(cookie: String, from address: String?) -> Access? {
        guard let session = self.sessions?.session(in: cookie, at: self.now()) else { return nil }
        var caller = session.caller
        caller.address = address
        guard caller.way == .token else {
            return Access(caller: caller, grants: session.grants, expires: session.expires)
        }
        guard let status = caller.credential.flatMap({ self.tokens.status($0) }) else { return nil }
        return Access(caller: caller, grants: status.grants, expires: min(session.expires, status.expires))
    }

    private static func cookie(_ request: Request) -> String? {
        request.cookies[SessionCookie.name]?.value
    }

    /// Somebody who is known was refused.
    func noteForbidden(_ request: Request, _ context: PeerContext) {
        self.ledger.note(
            .forbidden,
            caller: context.remote?.caller,
            address: context.address,
            request: "\(request.method.rawValue) \(request.uri.path)"
        )
    }

    private func access(_ credential: String, from address: String?) async throws(Refusal) -> Access? {
        if credential.hasPrefix(TokenStore.prefix) { return self.tokens.access(credential, from: address) }
        guard let verifier = self.verifier, credential.utf8.count <= Self.longestToken else { return nil }
        let person = try await verifier(credential)
        let grants = self.bindings.filter { binding in
            binding.users.contains(person.name) || !Set(binding.groups).isDisjoint(with: person.groups)
        }.map(\.grant)
        return Access(
            caller: Caller(name: person.name, way: .oidc, credential: person.issuer, address: address),
            grants: grants,
            expires: person.expires
        )
    }

    private static func bearer(_ request: Request) -> String? {
        let fields = request.headers[values: .authorization]
        guard fields.count == 1, let field = fields.first, field.lowercased().hasPrefix("bearer ") else { return nil }
        let token = field.dropFirst(7).trimmingPrefix(while: { $0 == " " })
        return token.isEmpty ? nil : String(token)
    }

    private static let unauthorized = Problem(
        status: 401,
        title: "Unauthorized",
        detail: "a valid token is needed, as `Authorization: Bearer …`: an administrator makes one with "
            + "`controller token create`"
    )
}

/// Somebody is too fast.
struct RetryLater: Error {
    var seconds: Int
}

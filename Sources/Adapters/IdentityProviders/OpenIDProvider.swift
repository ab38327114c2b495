package import Foundation
import JWTKit
package import Logging
package import Transport

/// Which identity provider vouches for people, and by what.
package struct OpenIDConfiguration: Hashable, Sendable {
    /// As it stands in tokens: `https` without a query.
    package var issuer: String
    /// What tokens must be meant for.
    package var audience: String
    /// The claim that names a person.
    package var nameClaim: String
    /// The claim that lists a person's groups.
    package var groupsClaim: String
    /// A PEM file of the authorities to trust, instead of the system's.
    package var caFile: String?

    package init(
        issuer: String,
        audience: String,
        nameClaim: String = "sub",
        groupsClaim: String = "groups",
        caFile: String? = nil
    ) {
        self.issuer = issuer
        self.audience = audience
        self.nameClaim = nameClaim
        self.groupsClaim = groupsClaim
        self.caFile = caFile
    }
}

/// Whom a token is for.
package struct OpenIDPerson: Hashable, Sendable {
    package var name: String
    package var groups: [String]
    package var issuer: String
    package var expires: Date
}

package enum OpenIDError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The token is none, has ended, or is meant for somebody else; why, for the log.
    case invalid(String)
    /// The provider's keys cannot be had.
    case unavailable(String)

    package var description: String {
        switch self {
        case .invalid(let reason): reason
        case .unavailable(let reason): reason
        }
    }
}

/// Verifies tokens of an OpenID Connect provider with the keys that it publishes (OpenID Connect Discovery 1.0, RFC
/// 7517, RFC 7519).
///
/// Keys are fetched every ten minutes, and at once for a key that is not known, at most every ten seconds: a stranger
/// cannot make the controller ask without end. While the provider cannot be reached, the keys of the last day count.
package actor OpenIDProvider {
    private let configuration: OpenIDConfiguration
    private let client: HTTPClient
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// By their ids.
    private var keys: [String: Key] = [:]
    private var fetched: Date?
    private var attempted: Date?
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isFetching = false

    private struct Key {
        var algorithms: Set<String>
        /// Of this key alone: JWTKit takes another one where it does not find the one that is meant.
        var verifier: JWTKeyCollection
    }

    /// Clocks differ by so many seconds at most.
    package static let skew: TimeInterval = 60
    private static let keysLast: TimeInterval = 24 * 3600
    private static let attemptsEvery: TimeInterval = 10
    private static let longestToken = 16 << 10
    /// Public keys only: a shared secret that somebody publishes as a key is none, and `none` is no algorithm.
    private static let algorithms: Set<String> = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]

    package init(
        configuration: OpenIDConfiguration,
        client: HTTPClient,
        logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
        self.now = now
    }

    /// Keeps the keys fresh until the task is cancelled.
    package func run() async throws {
        while true {
            await self.refresh()
            try await Task.sleep(for: self.fetched == nil ? .seconds(15) : .seconds(600))
        }
    }

    /// Fetches the keys, as somebody who wants to know whether that works.
    ///
    /// - Returns: How many there are.
    /// - Throws: `unavailable`.
    package func check() async throws(OpenIDError) -> Int {
        do {
            try await self.fetch()
        } catch let error as OpenIDError {
            throw error
        } catch {
            throw .unavailable("\(error)")
        }
        return self.keys.count
    }

    /// - Throws: `invalid` for everything that is wrong with the token, `unavailable` where that cannot be known.
    package func verify(_ token: String) async throws(OpenIDError) -> OpenIDPerson {
        let header = try Self.header(of: token)
        if self.key(for: header) == nil { await self.refresh() }
        guard let fetched = self.fetched, self.now().timeIntervalSince(fetched) <= Self.keysLast else {
            throw .unavailable(
                "the keys of the identity provider \(self.configuration.issuer) cannot be had: use a token of "
                    + "`controller token create`, or the socket"
            )
        }
        guard let key = self.key(for: header) else { throw .invalid("it is signed with an unknown key") }
        guard key.algorithms.contains(header.alg) else { throw .invalid("its algorithm is not its key's") }
        let claims: Claims
        do {
            claims = try await key.verifier.verify(token, as: Claims.self)
        } catch {
            throw .invalid("its signature or its claims cannot be verified")
        }
        return try self.person(claims)
    }

    private func person(_ claims: Claims) throws(OpenIDError) -> OpenIDPerson {
        let now = self.now().timeIntervalSince1970
        guard claims.text("iss") == self.configuration.issuer else { throw .invalid("another issuer's") }
        guard claims.list("aud").contains(self.configuration.audience) else {
            throw .invalid("meant for another audience")
        }
        guard let expires = claims.number("exp") else { throw .invalid("it never ends") }
        guard expires + Self.skew > now else { throw .invalid("it has ended") }
        for claim in ["nbf", "iat"] {
            if let begins = claims.number(claim), begins - Self.skew > now { throw .invalid("it is not valid yet") }
        }
        guard let name = claims.text(self.configuration.nameClaim), Self.isName(name) else {
            throw .invalid("it has no usable claim \(self.configuration.nameClaim)")
        }
        return OpenIDPerson(
            name: name,
            groups: claims.list(self.configuration.groupsClaim),
            issuer: self.configuration.issuer,
            expires: Date(timeIntervalSince1970: min(expires, 1e11))
        )
    }

    /// What can stand in a line of a log.
    private static func isName(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.value >= 32 && $0.value != 127 && !$0.properties.isDefaultIgnorableCodePoint
            }
    }

    /// A token need not name its key where only one can be meant (OpenID Connect Core 1.0, section 10.1).
    private func key(for header: Header) -> Key? {
        if let id = header.kid { return self.keys[id] }
        let possible = self.keys.values.filter { $0.algorithms.contains(header.alg) }
        return possible.count == 1 ? possible.first : nil
    }

    private struct Header: Decodable {
        var alg: String
        var kid: String?
        var crit: [String]?
    }

    private static func header(of token: String) throws(OpenIDError) -> Header {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= Self.longestToken, parts.count == 3, let data = Data(base64URL: parts[0]) else {
            throw .invalid("it is no signed token")
        }
        do {
            let header = try JSONDecoder().decode(Header.self, from: data)
            guard Self.algorithms.contains(header.alg), header.crit == nil else {
                throw OpenIDError.invalid("its algorithm is not allowed")
            }
            return header
        } catch let error as OpenIDError {
            throw error
        } catch {
            throw .invalid("its head is unreadable")
        }
    }

    /// What a key may sign with: RFC 7518, section 3.1, and RFC 8037.
    private static func algorithms(of key: KeySet.Lenient) -> Set<String> {
        let possible: Set<String> =
            switch (key.type, key.curve) {
            case ("RSA", _): ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
            case ("EC", "P-256"): ["ES256"]
            case ("EC", "P-384"): ["ES384"]
            case ("EC", "P-521"): ["ES512"]
            case ("OKP", _): ["EdDSA"]
            default: []
            }
        return key.algorithm.map { possible.intersection([$0]) } ?? possible
    }

    // MARK: - Keys

    private func refresh() async {
        if self.isFetching { return await withCheckedContinuation { self.waiting.append($0) } }
        if let attempted = self.attempted, abs(self.now().timeIntervalSince(attempted)) < Self.attemptsEvery { return }
        self.isFetching = true
        self.attempted = self.now()
        do {
            try await self.fetch()
        } catch {
            self.logger.warning(
                "keys of the identity provider cannot be fetched",
                metadata: ["oidc.issuer": "\(self.configuration.issuer)", "error": "\(error)"]
            )
        }
        self.isFetching = false
        for continuation in self.waiting { continuation.resume() }
        self.waiting = []
    }

    private struct Discovery: Decodable {
        var issuer: String
        var jwks_uri: String
    }

    private struct KeySet: Decodable {
        var keys: [Lenient]

        /// A key of a kind that this controller does not know is not an error.
        struct Lenient: Decodable {
            var key: JWK?
            var type: String?
            var use: String?
            var curve: String?
            var algorithm: String?

            private enum CodingKeys: String, CodingKey { case kty, use, crv, alg }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                self.type = try? container.decode(String.self, forKey: .kty)
                self.use = try? container.decode(String.self, forKey: .use)
                self.curve = try? container.decode(String.self, forKey: .crv)
                self.algorithm = try? container.decode(String.self, forKey: .alg)
                self.key = try? JWK(from: decoder)
            }
        }
    }

    private func fetch() async throws {
        let issuer = self.configuration.issuer
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let discovery: Discovery = try await self.get(base + "/.well-known/openid-configuration")
        guard discovery.issuer == issuer else {
            throw OpenIDError.unavailable("it calls itself \(discovery.issuer.prefix(200)), and not \(issuer)")
        }
        guard discovery.jwks_uri.hasPrefix("https://") || issuer.hasPrefix("http://") else {
            throw OpenIDError.unavailable("its keys are not behind https")
        }
        let set: KeySet = try await self.get(discovery.jwks_uri)
        var keys: [String: Key] = [:]
        for entry in set.keys.prefix(100) where entry.use == nil || entry.use == "sig" {
            let algorithms = Self.algorithms(of: entry)
            guard let key = entry.key, let id = key.keyIdentifier?.string, !algorithms.isEmpty else { continue }
            do {
                let verifier = JWTKeyCollection()
                try await verifier.add(jwk: key)
                keys[id] = Key(algorithms: algorithms, verifier: verifier)
            } catch {
                self.logger.debug("a key of the identity provider is not usable", metadata: ["oidc.key": "\(id)"])
            }
        }
        guard !keys.isEmpty else { throw OpenIDError.unavailable("it publishes no usable key") }
        (self.keys, self.fetched) = (keys, self.now())
    }

    private func get<Value: Decodable>(_ url: String) async throws -> Value {
        let response = try await self.client.send(
            HTTPRequest(
                url: url,
                headers: ["Accept": "application/json"],
                timeout: .seconds(10),
                maxResponseBytes: 1 << 20,
                caFile: self.configuration.caFile
            )
        )
        guard response.status == 200 else {
            throw OpenIDError.unavailable("it answered \(url) with HTTP status \(response.status)")
        }
        return try JSONDecoder().decode(Value.self, from: Data(response.body))
    }
}

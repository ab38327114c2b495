import Crypto
import Foundation
import IdentityProviders
import Logging
import Synchronization
import Testing
import Transport

@Suite("People of an identity provider")
struct OpenIDProviderTests {
    let issuer: FakeIssuer
    let time = Time()

    final class Time: Sendable {
        let now = Mutex(Date(timeIntervalSince1970: 1_795_000_000))
        func advance(_ seconds: TimeInterval) { self.now.withLock { $0 += seconds } }
        var seconds: Double { self.now.withLock { $0.timeIntervalSince1970 } }
    }

    init() throws {
        self.issuer = try FakeIssuer()
    }

    private func provider(nameClaim: String = "email") -> OpenIDProvider {
        let time = self.time
        return OpenIDProvider(
            configuration: OpenIDConfiguration(
                issuer: self.issuer.issuer,
                audience: "controller",
                nameClaim: nameClaim
            ),
            client: HTTPClient(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { time.now.withLock { $0 } }
        )
    }

    private func claims(_ changes: [String: Any?] = [:]) -> [String: Any] {
        var claims: [String: Any] = [
            "iss": self.issuer.issuer, "aud": "controller", "sub": "4711", "email": "alice@example.com",
            "groups": ["ml-search", "all"], "iat": self.time.seconds, "exp": self.time.seconds + 300,
        ]
        for (name, value) in changes { claims[name] = value }
        return claims
    }

    @Test
    func `a good token says who somebody is, and until when`() async throws {
        let provider = self.provider()
        let person = try await provider.verify(try self.issuer.token(self.claims()))
        #expect(person.name == "alice@example.com")
        #expect(person.groups == ["ml-search", "all"])
        #expect(person.expires == Date(timeIntervalSince1970: 1_795_000_300))
        // A list of audiences, and a group that is no list.
        let other = self.claims(["aud": ["other", "controller"], "groups": "ml-search"])
        let second = try await provider.verify(try self.issuer.token(other))
        #expect(second.groups == ["ml-search"])
        self.issuer.stop()
    }

    static let wrong: [(String, @Sendable (OpenIDProviderTests) throws -> String)] = [
        ("ended", { try $0.issuer.token($0.claims(["exp": $0.time.seconds - 61])) }),
        ("never ends", { try $0.issuer.token($0.claims(["exp": nil])) }),
        ("end is a text", { try $0.issuer.token($0.claims(["exp": "tomorrow"])) }),
        ("not yet", { try $0.issuer.token($0.claims(["nbf": $0.time.seconds + 61])) }),
        ("issued in the future", { try $0.issuer.token($0.claims(["iat": $0.time.seconds + 61])) }),
        ("foreign audience", { try $0.issuer.token($0.claims(["aud": "grafana"])) }),
        ("no audience", { try $0.issuer.token($0.claims(["aud": nil])) }),
        ("foreign issuer", { try $0.issuer.token($0.claims(["iss": "https://evil.example"])) }),
        ("nobody", { try $0.issuer.token($0.claims(["email": nil])) }),
        ("a name of two lines", { try $0.issuer.token($0.claims(["email": "a\nroot"])) }),
        ("a name without end", { try $0.issuer.token($0.claims(["email": String(repeating: "a", count: 300)])) }),
        ("none", { try $0.issuer.token($0.claims(), header: ["alg": "none"]) }),
        ("None", { try $0.issuer.token($0.claims(), header: ["alg": "None"]) }),
        ("another algorithm than its key's", { try $0.issuer.token($0.claims(), header: ["alg": "RS256"]) }),
        ("another curve than its key's", { try $0.issuer.token($0.claims(), header: ["alg": "ES512"]) }),
        ("a header that must be understood", { try $0.issuer.token($0.claims(), header: ["crit": "b64"]) }),
        ("another's key", { try $0.issuer.token($0.claims(), key: FakeIssuer.Key(id: "one")) }),
        ("an unknown key", { try $0.issuer.token($0.claims(), key: FakeIssuer.Key(id: "two")) }),
        ("no signature", { try $0.issuer.token($0.claims()).split(separator: ".")[..<2].joined(separator: ".") + "." }),
        ("two parts", { try $0.issuer.token($0.claims()).split(separator: ".")[..<2].joined(separator: ".") }),
        ("not base64", { _ in "*.*.*" }), ("empty", { _ in "" }), ("dots", { _ in ".." }),
        ("huge", { try $0.issuer.token($0.claims(["padding": String(repeating: "a", count: 20_000)])) }),
        (
            "a secret that everybody knows",
            { test in
                // The classic: the public key as the secret of an HMAC.
                let jwk = FakeIssuer.jwk(test.issuer.key)
                let head = FakeIssuer.base64(Data(#"{"alg": "HS256", "kid": "one"}"#.utf8))
                let body = FakeIssuer.base64(try JSONSerialization.data(withJSONObject: test.claims()))
                let key = SymmetricKey(data: Data((jwk["x"] ?? "").utf8))
                let code = HMAC<SHA256>.authenticationCode(for: Data("\(head).\(body)".utf8), using: key)
                return "\(head).\(body).\(FakeIssuer.base64(Data(code)))"
            }
        ),
    ]

    @Test(arguments: Self.wrong.indices)
    func `a token that is wrong is refused`(index: Int) async throws {
        let (title, make) = Self.wrong[index]
        let provider = self.provider()
        _ = try await provider.verify(try self.issuer.token(self.claims()))
        let token = try make(self)
        let error = await #expect(throws: OpenIDError.self, "\(title)") { try await provider.verify(token) }
        #expect(Self.isInvalid(error), "\(title): \(error.map { "\($0)" } ?? "")")
        #expect(error?.description.contains(token) != true || token.isEmpty)
        self.issuer.stop()
    }

    private static func isInvalid(_ error: OpenIDError?) -> Bool {
        if case .invalid = error { true } else { false }
    }

    @Test
    func `clocks may differ by a minute`() async throws {
        let provider = self.provider()
        let seconds = self.time.seconds
        let token = try self.issuer.token(
            self.claims(["exp": seconds - 59, "iat": seconds + 59, "nbf": seconds + 59])
        )
        #expect(try await provider.verify(token).name == "alice@example.com")
        self.issuer.stop()
    }

    @Test
    func `a new key is found, and a stranger cannot make the controller ask without end`() async throws {
        let provider = self.provider()
        _ = try await provider.verify(try self.issuer.token(self.claims()))
        let new = FakeIssuer.Key(id: "two")
        self.issuer.publish([new])
        self.time.advance(11)
        let token = try self.issuer.token(self.claims())
        #expect(try await provider.verify(token).name == "alice@example.com")
        let before = self.issuer.requests
        for number in 0..<50 {
            let stranger = try self.issuer.token(self.claims(), key: FakeIssuer.Key(id: "key-\(number)"))
            await #expect(throws: OpenIDError.self) { try await provider.verify(stranger) }
        }
        #expect(self.issuer.requests == before)
        // The old key is published no more.
        let old = try self.issuer.token(self.claims(), key: FakeIssuer.Key(id: "one"))
        await #expect(throws: OpenIDError.self) { try await provider.verify(old) }
        self.issuer.stop()
    }

    @Test
    func `while the provider is down its keys count for a day, and without keys nobody is refused for good`()
        async throws
    {
        self.issuer.down(true)
        let provider = self.provider()
        let error = await #expect(throws: OpenIDError.self) {
            try await provider.verify(try self.issuer.token(self.claims()))
        }
        #expect(!Self.isInvalid(error), "\(error.map { "\($0)" } ?? "")")
        self.issuer.down(false)
        self.time.advance(11)
        _ = try await provider.verify(try self.issuer.token(self.claims()))
        self.issuer.down(true)
        self.time.advance(23 * 3600)
        _ = try await provider.verify(try self.issuer.token(self.claims()))
        self.time.advance(2 * 3600)
        await #expect(throws: OpenIDError.self) { try await provider.verify(try self.issuer.token(self.claims())) }
        self.issuer.stop()
    }

    @Test
    func `a token that names no key is good while only one can be meant`() async throws {
        let first = self.issuer.key
        let provider = self.provider()
        let head = FakeIssuer.base64(Data(#"{"alg": "ES256"}"#.utf8))
        let body = FakeIssuer.base64(try JSONSerialization.data(withJSONObject: self.claims()))
        let signature = try first.secret.signature(for: Data("\(head).\(body)".utf8)).rawRepresentation
        let token = "\(head).\(body).\(FakeIssuer.base64(signature))"
        #expect(try await provider.verify(token).name == "alice@example.com")
        self.issuer.publish([first, FakeIssuer.Key(id: "two")])
        let second = self.provider()
        await #expect(throws: OpenIDError.self) { try await second.verify(token) }
        self.issuer.stop()
    }

    @Test
    func `keys that are shared secrets, for other uses or of unknown kinds are left out`() async throws {
        let secret = FakeIssuer.base64(Data("a secret that everybody knows".utf8))
        self.issuer.publish(
            [self.issuer.key],
            extra: [
                ["kty": "oct", "kid": "shared", "alg": "HS256", "k": secret],
                ["kty": "EC", "kid": "no point"], ["kty": "Enigma", "kid": "three"], [:],
            ]
        )
        let provider = self.provider()
        _ = try await provider.verify(try self.issuer.token(self.claims()))
        let head = FakeIssuer.base64(Data(#"{"alg": "HS256", "kid": "shared"}"#.utf8))
        let body = FakeIssuer.base64(try JSONSerialization.data(withJSONObject: self.claims()))
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(head).\(body)".utf8),
            using: SymmetricKey(data: Data("a secret that everybody knows".utf8))
        )
        let token = "\(head).\(body).\(FakeIssuer.base64(Data(code)))"
        await #expect(throws: OpenIDError.self) { try await provider.verify(token) }
        self.issuer.stop()
    }

    @Test
    func `a provider that calls itself otherwise is not believed`() async throws {
        self.issuer.call(itself: "https://evil.example")
        let error = await #expect(throws: OpenIDError.self) {
            try await self.provider().verify(try self.issuer.token(self.claims()))
        }
        #expect(!Self.isInvalid(error), "\(error.map { "\($0)" } ?? "")")
        self.issuer.stop()
    }
}

import Crypto
import Foundation
import LoopbackServer
import Synchronization

/// An OpenID Connect provider on a loopback port, as far as OpenID Connect Discovery 1.0 and RFC 7517 describe what is
/// asked of it. It signs by itself, with other code than what verifies.
final class FakeIssuer: Sendable {
    private let state: Shared
    private let listener = Mutex<LoopbackServer?>(nil)

    struct Key: Sendable {
        var id: String
        var secret = P256.Signing.PrivateKey()
    }

    private final class Shared: Sendable {
        private let state = Mutex(State())
        func withLock<Value>(_ body: (inout sending State) throws -> sending Value) rethrows -> sending Value {
            try self.state.withLock(body)
        }
    }

    private struct State {
        var keys: [Key] = [Key(id: "one")]
        var extra: [[String: String]] = []
        var issuer: String?
        var isDown = false
        var requests = 0
    }

    init() throws {
        let state = Shared()
        self.state = state
        let server = try LoopbackServer { request in
            state.withLock { state in
                state.requests += 1
                guard !state.isDown else { return .text("down", status: 503) }
                let port = request.headers["host"]?.split(separator: ":").last ?? ""
                let own = "http://127.0.0.1:\(port)"
                switch request.target {
                case "/.well-known/openid-configuration":
                    return .text("{\"issuer\": \"\(state.issuer ?? own)\", \"jwks_uri\": \"\(own)/keys\"}")
                case "/keys":
                    let keys = state.keys.map(Self.jwk) + state.extra
                    let data = (try? JSONSerialization.data(withJSONObject: ["keys": keys])) ?? Data()
                    return .status(200, body: Array(data))
                default: return .text("", status: 404)
                }
            }
        }
        self.listener.withLock { $0 = server }
    }

    var issuer: String { "http://127.0.0.1:\(self.listener.withLock { $0?.port ?? 0 })" }
    var requests: Int { self.state.withLock { $0.requests } }

    func down(_ isDown: Bool) { self.state.withLock { $0.isDown = isDown } }

    /// The keys that are published from now on.
    func publish(_ keys: [Key], extra: [[String: String]] = []) {
        self.state.withLock { ($0.keys, $0.extra) = (keys, extra) }
    }

    func call(itself issuer: String) { self.state.withLock { $0.issuer = issuer } }

    var key: Key { self.state.withLock { $0.keys[0] } }

    func stop() { self.listener.withLock { $0 }?.stop() }

    static func jwk(_ key: Key) -> [String: String] {
        let point = key.secret.publicKey.rawRepresentation
        return [
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.id,
            "x": Self.base64(point.prefix(32)), "y": Self.base64(point.suffix(32)),
        ]
    }

    func token(_ claims: [String: Any], header: [String: String] = [:], key: Key? = nil) throws -> String {
        let key = key ?? self.key
        let head = ["alg": "ES256", "kid": key.id, "typ": "JWT"].merging(header) { $1 }
        let text = try [head as [String: Any], claims].map {
            Self.base64(try JSONSerialization.data(withJSONObject: $0))
        }.joined(separator: ".")
        let signature = try key.secret.signature(for: Data(text.utf8)).rawRepresentation
        return "\(text).\(Self.base64(signature))"
    }

    static func base64(_ data: some DataProtocol) -> String {
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

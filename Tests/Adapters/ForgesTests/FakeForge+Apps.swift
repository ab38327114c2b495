import Crypto
import CryptoExtras
import Foundation
import LoopbackServer

/// docs.github.com/en/rest/apps/apps: an installation access token for an app.
extension FakeForge {
    struct App {
        let id = "12345"
        let installation = "678"
        /// PEM.
        var publicKey: String
        /// Of a token, in seconds.
        var lifetime: TimeInterval = 3600
        /// Every one that was handed out; the newest is taken.
        var tokens: [String] = []
        var isRevoked = false
    }

    /// - Returns: Nothing when something else is asked for.
    func installationToken(_ request: LoopbackServer.Request, _ app: inout App) -> LoopbackServer.Answer? {
        let parts = request.target.split(separator: "/").map(String.init)
        guard request.method == "POST", parts.count == 6, parts[2...3] == ["app", "installations"],
            parts[5] == "access_tokens"
        else { return nil }
        guard let proof = request.headers["authorization"], proof.hasPrefix("Bearer "),
            Self.isSigned(String(proof.dropFirst("Bearer ".count)), by: app)
        else { return Self.json(401, ["message": "A JSON web token could not be decoded"]) }
        guard parts[4] == app.installation else { return Self.json(404, Self.notFound) }
        let token = "ghs_\(app.tokens.count + 1)"
        app.tokens.append(token)
        app.isRevoked = false
        let end = Date(timeIntervalSinceNow: app.lifetime).formatted(.iso8601)
        return Self.json(201, ["token": token, "expires_at": end, "permissions": ["statuses": "write"]])
    }

    private static func isSigned(_ proof: String, by app: App) -> Bool {
        struct Claims: Decodable { var iat: Double, exp: Double, iss: String }
        let parts = proof.split(separator: ".").map(String.init)
        guard parts.count == 3, let key = try? _RSA.Signing.PublicKey(pemRepresentation: app.publicKey),
            let signature = Self.decoded(parts[2]), let body = Self.decoded(parts[1]),
            let claims = try? JSONDecoder().decode(Claims.self, from: body)
        else { return false }
        let isOurs = key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature),
            for: SHA256.hash(data: Data("\(parts[0]).\(parts[1])".utf8)),
            padding: .insecurePKCS1v1_5
        )
        let now = Date().timeIntervalSince1970
        return isOurs && claims.iss == app.id && claims.iat <= now && (now...(now + 600)).contains(claims.exp)
    }

    private static func decoded(_ text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}

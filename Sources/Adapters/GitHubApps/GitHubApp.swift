import Crypto
import CryptoExtras
package import Foundation
package import Transport

/// A GitHub App, as which a repository is opened and its forge told: with its private key it asks for a token that
/// lives an hour.
///
/// As GitHub's "Generating an installation access token for a GitHub App" and "Generating a JSON Web Token (JWT) for a
/// GitHub App" have it.
package struct GitHubApp: Hashable, Sendable {
    /// The app's id, or its client id.
    package var appID: String
    /// Where it is installed: the number at the end of the installation's page.
    package var installationID: String
    /// A PEM file, as the app's settings hand it out.
    package var privateKeyFile: String
    /// `https://api.github.com`, or `https://HOST/api/v3` of an own server; without a slash at its end.
    package var api: String

    package init(
        appID: String,
        installationID: String,
        privateKeyFile: String,
        api: String = "https://api.github.com"
    ) {
        self.appID = appID
        self.installationID = installationID
        self.privateKeyFile = privateKeyFile
        self.api = api
    }
}

/// Why an app gets no token, in words without its key; those of GitHub in them are as they came.
package struct AppFailure: Error, Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        /// The key is none.
        case notConfigured
        /// GitHub does not accept the app, its key or the installation.
        case refused
        case unreachable, timedOut
    }

    package var code: Code
    package var text: String
    /// Whether the same may work later.
    package var isPassing: Bool
}

/// What a GitHub App is given for its key.
package struct InstallationToken: Sendable {
    package var text: String
    package var expires: Date

    /// Before its end, so that none ends in the middle of a fetch.
    private static let margin: TimeInterval = 5 * 60

    package func isUsable(at now: Date) -> Bool { now.addingTimeInterval(Self.margin) < self.expires }
}

extension GitHubApp {
    /// GitHub takes at most ten minutes, and its clock may be behind ours.
    private static let (past, future): (TimeInterval, TimeInterval) = (60, 9 * 60)

    /// Asks for a token.
    ///
    /// - Parameters:
    ///   - now: The time, which the request is signed with.
    ///   - client: What asks.
    ///   - caFile: PEM file of the authorities to trust, instead of the system's.
    ///   - timeout: For the whole exchange.
    /// - Returns: The token, and when it ends.
    /// - Throws: ``AppFailure``, without anything of the key or the token.
    package func token(
        at now: Date,
        by client: HTTPClient,
        caFile: String?,
        timeout: Duration
    ) async throws(AppFailure) -> InstallationToken {
        let request = HTTPRequest(
            method: "POST",
            url: "\(self.api)/app/installations/\(self.installationID)/access_tokens",
            headers: [
                "Authorization": "Bearer \(try self.proof(at: now))",
                "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "controller",
            ],
            body: [],
            timeout: timeout,
            maxResponseBytes: 1 << 20,
            caFile: caFile
        )
        let response: HTTPResponse
        do {
            response = try await client.send(request)
        } catch {
            let code = error.code == .timedOut ? AppFailure.Code.timedOut : .unreachable
            throw AppFailure(code: code, text: "\(self.api): \(error)", isPassing: error.recovery != .needsOperator)
        }
        guard response.status == 201 else { throw self.refusal(response) }
        guard let body = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
            let expires = try? Date(body.expires_at, strategy: .iso8601), !body.token.isEmpty,
            body.token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            let text = "\(self.api) answered a request for a token with something else"
            throw AppFailure(code: .unreachable, text: text, isPassing: true)
        }
        return InstallationToken(text: body.token, expires: expires)
    }

    private struct Answer: Decodable {
        var token: String
        var expires_at: String
    }

    private func refusal(_ response: HTTPResponse) -> AppFailure {
        struct Problem: Decodable { var message: String }
        let said = (try? JSONDecoder().decode(Problem.self, from: Data(response.body)))?.message ?? ""
        let answer = "\(self.api) answered \(response.status)" + (said.isEmpty ? "" : ": \(said.prefix(300))")
        let isLimited = response.headers["x-ratelimit-remaining"] == "0" || response.headers["retry-after"] != nil
        let text: String
        switch response.status {
        case 401:
            text =
                "GitHub does not accept the app's key. Check appID, privateKeyFile and this machine's clock. \(answer)"
        case 403 where !isLimited:
            text = "the installation \(self.installationID) may not be used now. \(answer)"
        case 404:
            text =
                "the app \(self.appID) has no installation \(self.installationID): take the number at the end of the "
                + "address of the installation's page. \(answer)"
        default:
            let words = "GitHub gives no token now and is asked again later. \(answer)"
            return AppFailure(code: .unreachable, text: words, isPassing: true)
        }
        return AppFailure(code: .refused, text: text, isPassing: false)
    }

    /// A JSON Web Token by RS256, which says who asks.
    private func proof(at now: Date) throws(AppFailure) -> String {
        struct Header: Encodable { var alg = "RS256", typ = "JWT" }
        struct Claims: Encodable { var iat: Int, exp: Int, iss: String }
        let seconds = now.timeIntervalSince1970
        let claims = Claims(iat: Int(seconds - Self.past), exp: Int(seconds + Self.future), iss: self.appID)
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let parts = [try encoder.encode(Header()), try encoder.encode(claims)].map(Self.base64URL)
            let signed = parts.joined(separator: ".")
            let pem = String(decoding: try Data(contentsOf: URL(filePath: self.privateKeyFile)), as: UTF8.self)
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: pem)
            let signature = try key.signature(for: SHA256.hash(data: Data(signed.utf8)), padding: .insecurePKCS1v1_5)
            return signed + "." + Self.base64URL(signature.rawRepresentation)
        } catch {
            // Not the error's own words, which may quote the file.
            let text = "\(self.privateKeyFile) is no RSA key in PEM: download one from the app's settings"
            throw AppFailure(code: .notConfigured, text: text, isPassing: false)
        }
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

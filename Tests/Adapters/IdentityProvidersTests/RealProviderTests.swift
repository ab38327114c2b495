import Foundation
import Glibc
import IdentityProviders
import Logging
import LoopbackServer
import Testing
import Transport

@Suite("A provider of others' making", .timeLimit(.minutes(5)))
struct RealProviderTests {
    /// `oidc-provider-mock` of the Python environment: Authlib's provider, without passwords.
    private static func program() throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let found = folders.map { "\($0)/oidc-provider-mock" }.first(where: FileManager.default.isExecutableFile)
        return try #require(found, "there is no oidc-provider-mock: run `make setup`")
    }

    @Test
    func `somebody who logs in there is who the token says`() async throws {
        let port = try FreePort.take()
        let issuer = "http://127.0.0.1:\(port)"
        let process = Process()
        process.executableURL = URL(filePath: try Self.program())
        process.arguments = [
            "--port", "\(port)", "--user-claims",
            #"{"sub": "4711", "email": "alice@example.com", "groups": ["ml-search"]}"#,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        defer {
            // Foundation hands on the signal mask of a thread of Dispatch's, which blocks SIGTERM.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let client = HTTPClient()
        defer { client.close() }
        let deadline = ContinuousClock.now + .seconds(120)
        while (try? await client.send(HTTPRequest(url: "\(issuer)/jwks")))?.status != 200 {
            try #require(ContinuousClock.now < deadline && process.isRunning, "the provider does not answer")
            try await Task.sleep(for: .milliseconds(50))
        }
        let token = try await Self.logIn("controller", at: issuer, client)
        func provider(_ audience: String) -> OpenIDProvider {
            OpenIDProvider(
                configuration: OpenIDConfiguration(issuer: issuer, audience: audience, nameClaim: "email"),
                client: client,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                now: { Date() }
            )
        }
        let person = try await provider("controller").verify(token)
        #expect(person.name == "alice@example.com")
        #expect(person.groups == ["ml-search"])
        await #expect(throws: OpenIDError.self) { try await provider("grafana").verify(token) }
    }

    /// The authorization code flow (OpenID Connect Core 1.0, section 3.1).
    private static func logIn(_ id: String, at issuer: String, _ client: HTTPClient) async throws -> String {
        let callback = "http%3A%2F%2F127.0.0.1%3A1%2F"
        let query = "client_id=\(id)&redirect_uri=\(callback)&response_type=code&scope=openid%20email"
        let form: HTTPHeaders = ["Content-Type": "application/x-www-form-urlencoded"]
        let answer = try await client.send(
            HTTPRequest(
                method: "POST",
                url: "\(issuer)/oauth2/authorize?\(query)",
                headers: form,
                body: Array("sub=4711".utf8)
            )
        )
        let location = try #require(answer.headers["Location"])
        let code = try #require(URLComponents(string: location)?.queryItems?.first { $0.name == "code" }?.value)
        let grant =
            "grant_type=authorization_code&code=\(code)&client_id=\(id)&client_secret=s&redirect_uri=\(callback)"
        let response = try await client.send(
            HTTPRequest(method: "POST", url: "\(issuer)/oauth2/token", headers: form, body: Array(grant.utf8))
        )
        struct Answer: Decodable { var id_token: String }
        return try JSONDecoder().decode(Answer.self, from: Data(response.body)).id_token
    }
}

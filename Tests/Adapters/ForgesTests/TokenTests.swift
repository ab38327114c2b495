import CryptoExtras
import Forges
import Foundation
import GitHubApps
import Reconciliation
import Testing

/// Ways to get at a token besides a file.
@Suite("A forge's token", .timeLimit(.minutes(5)))
struct TokenTests {
    private func show(_ deployment: String, on forge: RemoteForge) async throws(SourceError) {
        try await forge.show(report(.failed, "x", of: deployment), as: .status)
    }

    /// A forge that is told by an app, whose key it knows.
    private func withApp(
        _ change: @escaping (inout GitHubApp) -> Void = { _ in },
        _ body: (FakeForge, RemoteForge) async throws -> Void
    ) async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let file = FileManager.default.temporaryDirectory.appending(path: "app-\(UUID().uuidString).pem")
        try Data(key.pemRepresentation.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // it is in the temporary folder
        let configure = { (configuration: inout ForgeConfiguration) in
            var app = GitHubApp(appID: "12345", installationID: "678", privateKeyFile: file.path)
            app.api = configuration.url
            change(&app)
            configuration.credentials = .gitHubApp(app)
        }
        try await withForge(.github, configure) { fake, forge in
            fake.change { $0.app = FakeForge.App(publicKey: key.publicKey.pemRepresentation) }
            try await body(fake, forge)
        }
    }

    @Test
    func `an app's token is asked for once, and anew when it ends or is not taken`() async throws {
        try await self.withApp { fake, forge in
            try await self.show("search/one", on: forge)
            try await self.show("search/two", on: forge)
            #expect(fake.now.statuses.count == 2)
            #expect(fake.now.app?.tokens == ["ghs_1"])

            fake.change { $0.app?.isRevoked = true }
            let error = try await refusal { () async throws(SourceError) in
                try await self.show("search/three", on: forge)
            }
            #expect(error.code == .unreachable)
            #expect(error.recovery == .retry)
            #expect(error.message.contains("does not take the app's token"), "\(error)")
            #expect(!error.message.contains("ghs_"), "\(error)")
            // Less than what is left to one for safety: each is used for one request.
            fake.change { $0.app?.lifetime = 60 }
            try await self.show("search/three", on: forge)
            #expect(fake.now.statuses.count == 3)
            let asked = fake.now.app?.tokens.count ?? 0
            try await self.show("search/four", on: forge)
            #expect(fake.now.app?.tokens.count ?? 0 > asked)
        }
    }

    @Test(arguments: [("1", "678", "does not accept the app's key"), ("12345", "1", "has no installation 1")])
    func `an app that gets no token is told with what to check`(
        id: String,
        installation: String,
        words: String
    ) async throws {
        try await self.withApp { app in
            (app.appID, app.installationID) = (id, installation)
        } _: { fake, forge in
            let error = try await refusal { () async throws(SourceError) in try await self.show("a/b", on: forge) }
            #expect(error.code == .notConfigured)
            #expect(error.recovery == .needsOperator)
            #expect(error.message.contains("the forge of the repository \"models\""), "\(error)")
            #expect(error.message.contains(words), "\(error)")
            #expect(!error.message.contains("eyJ"), "\(error)")
            #expect(fake.now.statuses.isEmpty)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a token in a variable is taken, and one that is not there is named`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        // The variable is this process's own: it is the test's name and nobody else's.
        let name = "FORGES_TESTS_TOKEN_\(kind.rawValue.uppercased())"
        defer { unsetenv(name) }
        try await withForge(kind, { $0.credentials = .tokenVariable(name) }) { fake, forge in
            let missing = try await refusal { () async throws(SourceError) in try await self.show("a/b", on: forge) }
            #expect(missing.code == .notConfigured)
            #expect(missing.message.contains("the variable \(name) of the controller's environment"), "\(missing)")
            setenv(name, "old", 1)
            let old = try await refusal { () async throws(SourceError) in try await self.show("a/b", on: forge) }
            #expect(old.message.contains("renew it in the variable \(name)"), "\(old)")
            setenv(name, FakeForge.token, 1)
            try await self.show("a/b", on: forge)
            #expect(fake.now.statuses.count == 1)
        }
    }
}

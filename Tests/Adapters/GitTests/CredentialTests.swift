import Deployments
import Foundation
import Git
import GitHubApps
import Reconciliation
import Testing

/// Ways to open a repository besides a token in a file and an ssh key.
@Suite("Credentials")
struct CredentialTests {
    private func app(_ workshop: Workshop) async throws -> (key: String, publicKey: String) {
        let key = workshop.root + "/app.pem"
        try await Workshop.command("openssl", ["genrsa", "-traditional", "-out", key, "2048"])
        try await Workshop.command("openssl", ["rsa", "-in", key, "-pubout", "-out", key + ".public"])
        return (key, key + ".public")
    }

    @Test
    func `an app gets a token for its key, uses it for an hour, and asks anew for one that was revoked`() async throws {
        try await Workshop.run { workshop in
            let (key, publicKey) = try await self.app(workshop)
            try await LoopbackServers.githubApp(root: workshop.root, publicKey: publicKey) { url, next in
                let app = GitHubApp(appID: "12345", installationID: "678", privateKeyFile: key, api: url)
                let repository = workshop.repository(url: url + "/remote.git") { $0.credentials = .gitHubApp(app) }
                #expect(try await repository.poll()?.files.count == 1)
                #expect(try await repository.poll() == nil)
                let file = workshop.storage + "/models/home/installation-token"
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                var line = try await next()
                #expect(line == "token 1")

                // Another controller asks, which makes ours worth nothing.
                let other = workshop.repository(name: "other", url: url + "/remote.git") {
                    $0.credentials = .gitHubApp(app)
                }
                #expect(try await other.poll() != nil)
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .refused)
                #expect(!error.message.contains("ghs_"), "\(error.message)")
                let commit = try await workshop.commit(["a.yaml": "2"])
                try await workshop.push()
                #expect(try await repository.poll()?.origin.commit == commit)
                while line != "token 3" { line = try await next() }
                #expect(try await next() == "used 3")
            }
        }
    }

    @Test(arguments: [
        ("678", "54321", SourceError.Code.refused, "does not accept the app's key"),
        ("1", "12345", .refused, "has no installation 1"), ("999", "12345", .refused, "has been suspended"),
        ("429", "12345", .unreachable, "rate limit exceeded"),
    ])
    func `an app that gets no token says why, without the key`(
        installation: String,
        id: String,
        code: SourceError.Code,
        words: String
    ) async throws {
        try await Workshop.run { workshop in
            let (key, publicKey) = try await self.app(workshop)
            try await LoopbackServers.githubApp(root: workshop.root, publicKey: publicKey) { url, _ in
                let app = GitHubApp(appID: id, installationID: installation, privateKeyFile: key, api: url)
                let repository = workshop.repository(url: url + "/remote.git") { $0.credentials = .gitHubApp(app) }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == code, "\(error.message)")
                #expect(error.message.contains(words), "\(error.message)")
                #expect(!error.message.contains("eyJ"), "\(error.message)")
            }
        }
    }

    @Test
    func `a key that is none, and an address that does not answer, are told apart`() async throws {
        try await Workshop.run { workshop in
            let (key, _) = try await self.app(workshop)
            for (file, code) in [("/etc/hostname", SourceError.Code.notConfigured), (key, .unreachable)] {
                let app = GitHubApp(appID: "1", installationID: "2", privateKeyFile: file, api: "http://127.0.0.1:1")
                let repository = workshop.repository(name: "a", url: "https://127.0.0.1:1/x.git") {
                    $0.credentials = .gitHubApp(app)
                }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == code, "\(error.message)")
            }
        }
    }

    @Test
    func `a token in a variable opens a repository, and a variable that is not there is told`() async throws {
        try await Workshop.run { workshop in
            // The variable is this process's own: it is the test's name and nobody else's.
            setenv("GIT_TESTS_TOKEN", "hunter2", 1)
            defer { unsetenv("GIT_TESTS_TOKEN") }
            try await LoopbackServers.http(root: workshop.root, password: "hunter2") { url in
                let repository = workshop.repository(url: url + "/remote.git") {
                    $0.credentials = .tokenVariable(name: "GIT_TESTS_TOKEN")
                }
                #expect(try await repository.poll() != nil)
                let missing = workshop.repository(name: "missing", url: url + "/remote.git") {
                    $0.credentials = .tokenVariable(name: "GIT_TESTS_NO_TOKEN")
                }
                let error = try await sourceError { _ = try await missing.poll() }
                #expect(error.code == .notConfigured)
                #expect(error.message.contains("GIT_TESTS_NO_TOKEN"), "\(error.message)")
            }
        }
    }

    @Test
    func `a server that asks for a certificate lets in who has one, and nobody else`() async throws {
        try await Workshop.run { workshop in
            let server = try await workshop.certificate(for: "IP:127.0.0.1")
            let client = try await workshop.certificate(for: "DNS:controller.example")
            let trust = (certificate: server.both, clients: client.authority)
            try await LoopbackServers.http(root: workshop.root, certificate: trust.certificate, clients: trust.clients)
            {
                url in
                let repository = workshop.repository(url: url + "/remote.git") {
                    $0.caFile = server.authority
                    $0.clientCertificate = ClientCertificate(certificateFile: client.authority, keyFile: client.key)
                }
                #expect(try await repository.poll()?.files.count == 1)
                let stranger = workshop.repository(name: "stranger", url: url + "/remote.git") {
                    $0.caFile = server.authority
                }
                let error = try await sourceError { _ = try await stranger.poll() }
                // By TLS 1.3 the handshake is over for the client before the server looks at its certificate: what it
                // sees then is an alert, or that the connection is gone.
                #expect([.refused, .unreachable].contains(error.code), "\(error.message)")
            }
        }
    }

    @Test
    func `a proxy is asked for what is to be fetched, whatever the environment says`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.hostile(["404"]) { proxy, next in
                let repository = workshop.repository(url: "http://git.example/remote.git") { $0.proxy = proxy }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.message.contains("no such repository"), "\(error.message)")
                #expect(try await next() == nil)
            }
        }
    }
}

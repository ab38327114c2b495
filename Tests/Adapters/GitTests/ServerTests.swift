import Deployments
import Foundation
import Git
import Reconciliation
import Testing

/// Against servers as they are met in the field, on the loopback interface.
@Suite("Servers")
struct ServerTests {
    private func secret(_ text: String, _ name: String, _ workshop: Workshop) throws -> String {
        let path = workshop.root + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    @Test(arguments: ["hunter2", "hunter2\n"])
    func `http with a token polls and writes notes`(token: String) async throws {
        try await Workshop.run { workshop in
            let file = try self.secret(token, "token", workshop)
            try await LoopbackServers.http(root: workshop.root, password: "hunter2") { url in
                let repository = workshop.repository(url: url + "/remote.git") {
                    $0.credentials = .token(file: file)
                    $0.writesNotes = true
                }
                #expect(try await repository.poll()?.files.count == 1)
                let commit = try await workshop.commit(["a.yaml": "2"])
                try await workshop.push()
                #expect(try await repository.poll()?.origin.commit == commit)
                try await repository.annotate(commit: commit, key: "a/b", note: "1")
                try await workshop.git("fetch", "--quiet", workshop.remote, "refs/notes/*:refs/notes/*")
                #expect(try await workshop.git("notes", "--ref=rollouts", "show", commit).contains(#""a/b": 1"#))
            }
        }
    }

    @Test
    func `a wrong token is refused and not shown`() async throws {
        try await Workshop.run { workshop in
            let file = try self.secret("hunter3", "token", workshop)
            try await LoopbackServers.http(root: workshop.root, password: "hunter2") { url in
                let repository = workshop.repository(url: url + "/remote.git") { $0.credentials = .token(file: file) }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .refused)
                #expect(error.recovery == .needsOperator)
                #expect(error.message.contains("does not accept the credentials"), "\(error.message)")
                #expect(!error.message.contains("hunter"))
                let anonymous = workshop.repository(name: "anonymous", url: url + "/remote.git")
                let second = try await sourceError { _ = try await anonymous.poll() }
                #expect(second.code == .refused)
                // The file is read anew each time.
                _ = try self.secret("hunter2", "token", workshop)
                #expect(try await repository.poll() != nil)
            }
        }
    }

    @Test
    func `a certificate is trusted by the authority that the configuration names`() async throws {
        try await Workshop.run { workshop in
            let server = try await workshop.certificate(for: "IP:127.0.0.1")
            try await LoopbackServers.http(root: workshop.root, certificate: server.both) { url in
                let error = try await sourceError {
                    _ = try await workshop.repository(url: url + "/remote.git").poll()
                }
                #expect(error.code == .refused)
                #expect(error.message.contains("Set caFile"), "\(error.message)")
                let trusting = workshop.repository(name: "trusting", url: url + "/remote.git") {
                    $0.caFile = server.authority
                }
                #expect(try await trusting.poll() != nil)
            }
        }
    }

    @Test
    func `a certificate that has expired or is another host's is refused, and it is told which`() async throws {
        try await Workshop.run { workshop in
            for (subject, days, words) in [
                ("IP:127.0.0.1", -1, "renew it if it has expired"), ("DNS:elsewhere.example", 2, "is for another host"),
            ] {
                let server = try await workshop.certificate(for: subject, days: days)
                try await LoopbackServers.http(root: workshop.root, certificate: server.both) { url in
                    let repository = workshop.repository(url: url + "/remote.git") { $0.caFile = server.authority }
                    let error = try await sourceError { _ = try await repository.poll() }
                    #expect(error.code == .refused)
                    #expect(error.recovery == .needsOperator)
                    #expect(error.message.contains(words), "\(error.message)")
                }
            }
        }
    }

    @Test
    func `a redirect is not followed`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.http(root: workshop.root) { url in
                #expect(try await workshop.repository(url: url + "/remote.git").poll() != nil)
                let moved = workshop.repository(name: "moved", url: url + "/elsewhere/remote.git")
                let error = try await sourceError { _ = try await moved.poll() }
                #expect(error.code == .refused)
                #expect(error.message.contains("redirects to another address"), "\(error.message)")
                let missing = workshop.repository(name: "missing", url: url + "/nothing.git")
                let second = try await sourceError { _ = try await missing.poll() }
                #expect(second.code == .refused)
                #expect(second.message.contains("no such repository"), "\(second.message)")
            }
        }
    }

    @Test
    func `ssh with a key polls and writes notes`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.ssh(folder: workshop.root) { ssh in
                let url = "ssh://\(NSUserName())@127.0.0.1:\(ssh.port)\(workshop.remote)"
                let repository = workshop.repository(url: url) {
                    $0.credentials = .sshKey(file: ssh.key, knownHostsFile: ssh.knownHosts)
                    $0.writesNotes = true
                }
                #expect(try await repository.poll()?.files.count == 1)
                let commit = try await workshop.commit(["a.yaml": "2"])
                try await workshop.push()
                #expect(try await repository.poll()?.origin.commit == commit)
                try await repository.annotate(commit: commit, key: "a/b", note: "1")
                try await workshop.git("fetch", "--quiet", workshop.remote, "refs/notes/*:refs/notes/*")
                #expect(try await workshop.git("notes", "--ref=rollouts", "show", commit).contains(#""a/b": 1"#))
            }
        }
    }

    @Test
    func `an unknown host key and a wrong ssh key are refused`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.ssh(folder: workshop.root) { ssh in
                let url = "ssh://\(NSUserName())@127.0.0.1:\(ssh.port)\(workshop.remote)"
                let arguments = ["-q", "-t", "ed25519", "-N", "", "-f", workshop.root + "/other"]
                try await Workshop.command("ssh-keygen", arguments)
                let other = try String(contentsOfFile: workshop.root + "/other.pub", encoding: .utf8)
                let hosts = try self.secret("[127.0.0.1]:\(ssh.port) \(other)", "other_hosts", workshop)
                let stranger = workshop.repository(name: "stranger", url: url) {
                    $0.credentials = .sshKey(file: ssh.key, knownHostsFile: hosts)
                }
                let error = try await sourceError { _ = try await stranger.poll() }
                #expect(error.code == .refused)
                #expect(error.message.contains("host key is not in the known hosts file"), "\(error.message)")
                let unknown = workshop.repository(name: "unknown", url: url) {
                    $0.credentials = .sshKey(file: workshop.root + "/other", knownHostsFile: ssh.knownHosts)
                }
                let second = try await sourceError { _ = try await unknown.poll() }
                #expect(second.code == .refused)
                #expect(second.message.contains("does not accept the credentials"), "\(second.message)")
            }
        }
    }

    @Test(arguments: ["http", "ssh"])
    func `a server that says nothing hits the deadline and leaves no process`(scheme: String) async throws {
        try await Workshop.run { workshop in
            let file = try self.secret("hunter2", "secret", workshop)
            try await LoopbackServers.silent { port in
                let repository = workshop.repository(url: "\(scheme)://127.0.0.1:\(port)/x.git") {
                    $0.timeout = .seconds(1)
                    if scheme == "ssh" { $0.credentials = .sshKey(file: file, knownHostsFile: file) }
                }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .timedOut)
                #expect(error.recovery == .retry)
                #expect(error.message.contains("127.0.0.1:\(port)/x.git"))
                try await Processes.expectNone(withHome: workshop.storage + "/models/home")
            }
        }
    }

    @Test
    func `a cancelled poll leaves no process`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.silent { port in
                let repository = workshop.repository(url: "http://127.0.0.1:\(port)/x.git")
                await withTaskGroup(of: Void.self) { group in
                    // What it throws is not looked at: it was cancelled.
                    group.addTask { _ = try? await repository.poll() }
                    group.cancelAll()
                }
                try await Processes.expectNone(withHome: workshop.storage + "/models/home")
            }
        }
    }

    @Test
    func `a port where nobody listens is unreachable`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository(url: "http://127.0.0.1:1/x.git")
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .unreachable, "\(error.message)")
            #expect(error.recovery == .retry)
        }
    }

    @Test(arguments: [
        (
            "https://git.example.org/x.git", GitCredentials.token(file: "/nonexistent/token"),
            "/nonexistent/token cannot"
        ),
        ("https://git.example.org/x.git", .token(file: "token"), "is not absolute"),
        ("https://git.example.org/x.git", .token(file: "/dev/null"), "is empty"),
        ("http://git.example.org/x.git", .token(file: "/etc/hostname"), "not sent over http"),
        ("ssh://git@git.example.org/x.git", .none, "ssh needs a key"),
        ("git@git.example.org:x.git", .none, "ssh needs a key"),
        ("https://git.example.org/x.git", .sshKey(file: "/k", knownHostsFile: "/h"), "http takes a token"),
        ("/srv/x.git", .token(file: "/etc/hostname"), "takes no credentials"),
        ("git@git.example.org:x.git", .sshKey(file: "/$(id)", knownHostsFile: "/h"), "ssh cannot take the path"),
    ])
    func `credentials that cannot work are named before git runs`(
        url: String,
        credentials: GitCredentials,
        reason: String
    ) async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository(url: url) { $0.credentials = credentials }
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .notConfigured)
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }
}

import Foundation
import Glibc
import LoopbackServer
import Subprocess
import Testing

/// Servers on the loopback interface that end with the closure that uses them.
enum LoopbackServers {
    private static var teardown: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(1))
        ]
        return options
    }

    private struct Done: Error {}

    /// `git http-backend` behind a small web server; with a password, `git` is the user, and with a certificate it
    /// speaks TLS; then `clients` is the authority of those it lets in.
    static func http(
        root: String,
        password: String? = nil,
        certificate: String? = nil,
        clients: String? = nil,
        _ body: (String) async throws -> Void
    ) async throws {
        let options =
            (certificate.map { ["--certificate", $0] } ?? []) + (clients.map { ["--clients", $0] } ?? [])
            + (password.map { ["git", $0] } ?? [])
        try await Self.script("http_git_server.py", [root] + options) { port, _ in
            try await body("\(certificate == nil ? "http" : "https")://127.0.0.1:\(port)")
        }
    }

    /// GitHub's answers to an app, as `github_app_server.py` says. The closure gets its url, and a function that waits
    /// for the next line of what happened.
    static func githubApp(
        root: String,
        publicKey: String,
        _ body: (String, @escaping () async throws -> String) async throws -> Void
    ) async throws {
        try await Self.script("github_app_server.py", [root, publicKey]) { port, next in
            try await body("http://127.0.0.1:\(port)", next)
        }
    }

    /// A web server that answers in one wrong way, as `hostile_server.py` says. The closure gets its url, and a
    /// function that waits for the credentials of its next request: nothing when it came without.
    static func hostile(
        _ mode: [String],
        _ body: (String, @escaping () async throws -> String?) async throws -> Void
    ) async throws {
        try await Self.script("hostile_server.py", mode) { port, next in
            try await body("http://127.0.0.1:\(port)") {
                let line = try await next()
                return line == "none" ? nil : line
            }
        }
    }

    /// Runs a server of the fixtures, whose first line is its port; the closure gets that, and a function that waits
    /// for the next line.
    private static func script(
        _ name: String,
        _ arguments: [String],
        _ body: (String, @escaping () async throws -> String) async throws -> Void
    ) async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        do {
            _ = try await Subprocess.run(
                .name("python3"),
                arguments: Arguments([script.path] + arguments),
                environment: .custom(Workshop.environment),
                platformOptions: Self.teardown,
                input: .none,
                output: .sequence,
                error: .discarded
            ) { execution in
                var lines = execution.standardOutput.strings().makeAsyncIterator()
                func next() async throws -> String {
                    try #require(try await lines.next()).trimmingCharacters(in: .whitespacesAndNewlines)
                }
                let port = try await next()
                try await body(port, next)
                throw Done()
            }
        } catch is Done {
            // Throwing out of the closure is what ends the server.
        } catch let error as SubprocessError where error.code == .executableNotFound {
            Issue.record("the program python3 is missing: run make setup")
        }
    }

    struct SSH: Sendable {
        var port: UInt16
        var key: String
        var knownHosts: String
    }

    /// An ssh server that lets the owner of a new key in as the current user.
    static func ssh(folder: String, _ body: @Sendable (SSH) async throws -> Void) async throws {
        for name in ["host", "user"] {
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", "\(folder)/\(name)"]
            try await Workshop.command("ssh-keygen", arguments)
        }
        let port = try FreePort.take()
        let publicKey = try String(contentsOfFile: folder + "/host.pub", encoding: .utf8)
        let hosts = "[127.0.0.1]:\(port) " + publicKey.split(separator: " ").prefix(2).joined(separator: " ") + "\n"
        try hosts.write(toFile: folder + "/known_hosts", atomically: true, encoding: .utf8)
        try """
        Port \(port)
        ListenAddress 127.0.0.1
        HostKey \(folder)/host
        AuthorizedKeysFile \(folder)/user.pub
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password

        """.write(toFile: folder + "/sshd_config", atomically: true, encoding: .utf8)
        if getuid() == 0 {
            // Debian's service makes this at boot; a server that root starts by hand refuses to run without.
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        do {
            _ = try await Subprocess.run(
                .name("sshd"),
                arguments: ["-D", "-e", "-f", folder + "/sshd_config"],
                environment: .custom(Workshop.environment),
                platformOptions: Self.teardown,
                input: .none,
                output: .discarded,
                error: .discarded
            ) { _ in
                try await Self.wait(forPort: port)
                try await body(SSH(port: port, key: folder + "/user", knownHosts: folder + "/known_hosts"))
                throw Done()
            }
        } catch is Done {
            // As above.
        } catch let error as SubprocessError where error.code == .executableNotFound {
            Issue.record("the program sshd is missing: run make setup")
        }
    }

    /// A port where connections are made and nothing is ever said.
    static func silent(_ body: (UInt16) async throws -> Void) async throws {
        let (socket, port) = try Self.listen()
        defer { close(socket) }
        try await body(port)
    }

    // MARK: - Sockets

    private static func listen() throws -> (socket: Int32, port: UInt16) {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(handle >= 0)
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(handle, pointer, length) == 0 && Glibc.listen(handle, 16) == 0
                    && getsockname(handle, pointer, &length) == 0
            }
        }
        try #require(isBound)
        return (handle, UInt16(bigEndian: address.sin_port))
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func wait(forPort port: UInt16) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(handle) }
            var address = Self.loopback(port: port)
            let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isOpen { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("nothing listens on port \(port)")
    }
}

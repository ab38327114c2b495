import Foundation
import Testing

extension Workshop {
    /// What `GPGHome.export` writes.
    var gpgKeyring: String { self.root + "/keyring.asc" }
}

/// A home of `gpg` with secret keys, and an agent that ends with the closure that uses it.
struct GPGHome {
    let workshop: Workshop
    private var path: String { self.workshop.root + "/gpg" }

    static func run(in workshop: Workshop, _ body: (GPGHome) async throws -> Void) async throws {
        let home = GPGHome(workshop: workshop)
        try FileManager.default.createDirectory(
            atPath: home.path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        do {
            try await body(home)
        } catch {
            try await Workshop.command("gpgconf", ["--homedir", home.path, "--kill", "all"])
            throw error
        }
        try await Workshop.command("gpgconf", ["--homedir", home.path, "--kill", "all"])
    }

    @discardableResult
    func gpg(_ arguments: [String], input: String = "/dev/null") async throws -> String {
        let options = ["--batch", "--quiet", "--homedir", self.path, "--passphrase", "", "--pinentry-mode", "loopback"]
        return try await Workshop.command("gpg", options + arguments, input: input)
    }

    /// - Parameters:
    ///   - name: Of a new key, whose owner is `name@example.org`.
    ///   - expiry: As `gpg --quick-generate-key` takes it.
    ///   - making: Further options for the making of the key.
    ///   - signing: Further options for each signature.
    /// - Returns: What signs with it.
    /// - Throws: When gpg fails.
    func key(
        _ name: String,
        expiry: String = "never",
        making: [String] = [],
        signing: [String] = []
    ) async throws -> SigningKey {
        try await self.gpg(making + ["--quick-generate-key", "\(name)@example.org", "ed25519", "sign", expiry])
        let list = try await self.gpg(["--with-colons", "--list-secret-keys", "\(name)@example.org"])
        let line = try #require(list.split(separator: "\n").first { $0.hasPrefix("fpr:") })
        let fingerprint = String(try #require(line.split(separator: ":").last))
        return .gpg(program: try self.program(signing), fingerprint: fingerprint)
    }

    /// A `gpg` with options of its own.
    func program(_ options: [String]) throws -> String {
        let path = self.path + "/gpg-" + UUID().uuidString
        let words = ["gpg", "--batch", "--homedir", self.path] + options
        let script = "#!/bin/sh\nexec " + words.map { "'\($0)'" }.joined(separator: " ") + " \"$@\"\n"
        let isWritten = FileManager.default.createFile(
            atPath: path,
            contents: Data(script.utf8),
            attributes: [.posixPermissions: 0o755]
        )
        try #require(isWritten)
        return path
    }

    /// Puts the public keys into the workshop's keyring: all, or only those of some owners.
    func export(_ names: String...) async throws {
        let text = try await self.gpg(["--armor", "--export"] + names.map { "\($0)@example.org" })
        try Data((text + "\n").utf8).write(to: URL(filePath: self.workshop.gpgKeyring))
    }

    /// Revokes a key by the certificate that was made with it.
    func revoke(_ fingerprint: String) async throws {
        let file = self.path + "/openpgp-revocs.d/\(fingerprint).rev"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        // gpg puts a colon before it, against accidents.
        try Data(text.replacing(":-----BEGIN", with: "-----BEGIN").utf8).write(to: URL(filePath: file))
        try await self.gpg(["--import", file])
    }
}

import Foundation
import Git
import Reconciliation
import Testing

/// A key that signs commits in a workshop.
enum SigningKey {
    /// The path of a private key.
    case ssh(String)
    /// A program that signs as `gpg` does, and the key's fingerprint.
    case gpg(program: String, fingerprint: String)

    /// For `git -c`.
    var options: [String] {
        switch self {
        case .ssh(let path):
            ["-c", "gpg.format=ssh", "-c", "user.signingkey=\(path)"]
        case .gpg(let program, let fingerprint):
            ["-c", "gpg.format=openpgp", "-c", "gpg.program=\(program)", "-c", "user.signingkey=\(fingerprint)"]
        }
    }
}

extension Workshop {
    var allowedSigners: String { self.root + "/allowed_signers" }
    var revokedKeys: String { self.root + "/revoked_keys" }

    /// A new key, and the beginning of its line in an allowed signers file.
    func sshKey(_ name: String) async throws -> SigningKey {
        let path = self.root + "/" + name
        try await Self.command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
        return .ssh(path)
    }

    func publicKey(_ name: String) throws -> String {
        try String(contentsOfFile: self.root + "/\(name).pub", encoding: .utf8)
            .split(separator: " ").prefix(2).joined(separator: " ")
    }

    /// Writes an allowed signers file with a line for each key; `options` come between name and key.
    func allow(_ names: [String], options: String = "") throws {
        let lines = try names.map { "\($0)@example.org \(options) \(try self.publicKey($0))\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: self.allowedSigners))
    }

    /// - Returns: The id of the new commit.
    @discardableResult
    func commit(_ files: [String: String], _ message: String = "Change", by key: SigningKey) async throws -> String {
        try self.write(files)
        try await self.git("add", "--all")
        let arguments = ["commit", "--quiet", "--allow-empty", "-S", "-m", message]
        try await Self.command("git", ["-C", self.work] + key.options + arguments)
        return try await self.head()
    }

    /// A commit of the tree of another, with parents of one's choice; the branch moves there.
    @discardableResult
    func commit(treeOf other: String, parents: [String], by key: SigningKey) async throws -> String {
        let arguments = ["commit-tree", "-S", "-m", "Merge"] + parents.flatMap { ["-p", $0] } + ["\(other)^{tree}"]
        let commit = try await Self.command("git", ["-C", self.work] + key.options + arguments)
        try await self.git("reset", "--quiet", "--hard", commit)
        return commit
    }

    @discardableResult
    func merge(_ branch: String, _ options: String..., by key: SigningKey) async throws -> String {
        let arguments = ["merge", "--quiet", "--no-ff", "-S", "-m", "Merge"] + options + [branch]
        try await Self.command("git", ["-C", self.work] + key.options + arguments)
        return try await self.head()
    }

    /// The bytes of the commit that is checked out.
    func raw() async throws -> String {
        try await self.git("cat-file", "commit", "HEAD") + "\n"
    }

    /// Makes a commit of what may be no commit at all, and moves the branch there.
    @discardableResult
    func forge(_ raw: String) async throws -> String {
        let commit = try await self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input: raw)
        try await self.git("update-ref", "HEAD", commit)
        return commit
    }

    func rules(
        _ requirement: SignatureRules.Requirement = .head,
        _ change: (inout SignatureRules) -> Void = { _ in }
    ) -> SignatureRules {
        var rules = SignatureRules(requirement: requirement, allowedSignersFile: self.allowedSigners)
        change(&rules)
        return rules
    }

    func repository(_ rules: SignatureRules?) -> GitRepository {
        self.repository { $0.signatures = rules }
    }
}

/// Polls, and hands out why the commit is not taken.
func refusal(
    of repository: GitRepository,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws -> String {
    let error = try await sourceError(sourceLocation: sourceLocation) { _ = try await repository.poll() }
    #expect(error.code == .unverified, "\(error.message)", sourceLocation: sourceLocation)
    #expect(error.recovery == .needsOperator, sourceLocation: sourceLocation)
    return error.message
}

import ControllerCommands
import Foundation
import Manifests
import Testing

@Suite("Signatures in the configuration")
struct SignatureConfigurationTests {
    private static let commit = "1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00"
    private static let fingerprint = "0xf3b127b674cfd54182168ae68c3c514a4e984865"

    /// `signatures` is over several lines, whose first is the file's third.
    private func read(_ signatures: String) throws -> Configuration {
        let text =
            "repositories:\n  - {name: a, url: /srv/a, signatures: {\n"
            + signatures.split(separator: "\n").map { "      \($0)\n" }.joined() + "      }}\n"
        return try Configuration(reading: Array(text.utf8), path: "c.yaml")
    }

    private func problems(_ signatures: String) -> [String] {
        do {
            return try self.read(signatures).warnings.map { ConfigurationError.line(of: $0) }
        } catch {
            return String(describing: error).split(separator: "\n").map(String.init)
        }
    }

    @Test
    func `nobody needs to sign where nothing is said`() throws {
        let text = "repositories: [{name: a, url: /srv/a}]\n"
        let repository = try #require(try Configuration(reading: Array(text.utf8), path: "c").repositories.first)
        #expect(repository.signatures == nil)
        #expect(try self.read("require: none").repositories.first?.signatures?.requirement == Requirement.none)
    }

    private typealias Requirement = Configuration.Signatures.Requirement

    @Test
    func `every setting arrives`() throws {
        let configuration = try self.read(
            """
            require: since, since: "\(Self.commit)",
            allowedSignersFile: /etc/allowed, revokedKeysFile: /etc/revoked, gpgKeyring: /etc/keyring,
            groups: {prod: [alice@example.com, "\(Self.fingerprint)"], other: [bob@example.com]},
            paths: [{path: prod/**, signers: [prod, other]}, {path: "*.yaml", signers: [other]}]
            """
        )
        let signatures = try #require(configuration.repositories.first?.signatures)
        #expect(signatures.requirement == .since(Self.commit))
        #expect(signatures.allowedSigners?.path == "/etc/allowed")
        #expect(signatures.revokedKeys?.path == "/etc/revoked")
        #expect(signatures.gpgKeyring?.path == "/etc/keyring")
        #expect(signatures.paths.map(\.pattern) == ["prod/**", "*.yaml"])
        #expect(signatures.paths.map(\.groups) == [["prod", "other"], ["other"]])
        let fingerprint = Self.fingerprint.dropFirst(2).uppercased()
        #expect(signatures.paths[0].signers == ["alice@example.com", "bob@example.com", fingerprint])
        #expect(signatures.paths[1].signers == ["bob@example.com"])
    }

    @Test(arguments: [
        ("require: always", "3:16: error: repositories[0].signatures.require: unknown value `always`"),
        ("require: head", "3:16: error: repositories[0].signatures.require: nobody may sign"),
        ("require: since, gpgKeyring: /k", "2:40: error: repositories[0].signatures: `since` is missing"),
        (
            "require: since, gpgKeyring: /k, since: HEAD",
            "3:46: error: repositories[0].signatures.since: expected all 40 digits"
        ),
        (
            "require: head, gpgKeyring: /k, since: \"\(commit)\"",
            "3:45: error: repositories[0].signatures.since: `since` belongs to `require: since`"
        ),
        ("require: head, gpgKeyring: k", "3:34: error: repositories[0].signatures.gpgKeyring: expected an absolute"),
        (
            "require: head, gpgKeyring: /k, revokedKeysFile: /r",
            "3:55: error: repositories[0].signatures.revokedKeysFile: `revokedKeysFile` belongs to"
        ),
        (
            "groups: {a: [b]}, paths: [{path: x, signers: [a]}]",
            "3:32: error: repositories[0].signatures.paths: `paths` needs signatures"
        ),
        (
            "require: head, gpgKeyring: /k, groups: {a: [b]}",
            "3:46: warning: repositories[0].signatures.groups: nothing uses `groups`"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: prod/**, signers: [prd]}], groups: {prod: [b]}",
            "4:41: error: repositories[0].signatures.paths[0].signers[0]: unknown group `prd`: did you mean `prod`?"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: prod/**, signers: []}]",
            "4:40: error: repositories[0].signatures.paths[0].signers: nobody could change these files"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: \"**/prod\", signers: [a]}], groups: {a: [b]}",
            "4:22: error: repositories[0].signatures.paths[0].path: expected files from the root of the repository"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: ../prod, signers: [a]}], groups: {a: [b]}",
            "4:22: error: repositories[0].signatures.paths[0].path: expected files from the root of the repository"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: x, signers: [a]}], groups: {a: [\"0x4E984865\"]}",
            "4:54: error: repositories[0].signatures.groups.a[0]: expected a principal of the allowed signers file"
        ),
        (
            "require: head, gpgKeyring: /k,\npaths: [{path: x, signers: [a]}], groups: {a: []}",
            "4:53: error: repositories[0].signatures.groups.a: the group has no members"
        ),
    ])
    func `mistakes are reported with place and fix`(signatures: String, expected: String) {
        let problems = self.problems(signatures)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix("c.yaml:\(expected)") == true, "\(problems)")
    }

    @Test
    func `key files that cannot be read are named with their place`() throws {
        let configuration = try self.read("require: head, gpgKeyring: /nonexistent/k, allowedSignersFile: /etc/passwd")
        let problems = configuration.unreadableKeyFiles(path: "c.yaml").map { "\($0)" }
        #expect(problems.count == 1)
        let expected = "c.yaml:3:34: error: repositories[0].signatures.gpgKeyring: `/nonexistent/k` cannot be read"
        #expect(problems.first?.hasPrefix(expected) == true, "\(problems)")
    }
}

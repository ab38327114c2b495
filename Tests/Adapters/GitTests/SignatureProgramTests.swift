import Foundation
import Git
import Reconciliation
import Testing

/// What verifies signatures is gone, hangs, or lies.
@Suite("Programs that verify signatures", .serialized)
struct SignatureProgramTests {
    /// A folder with `prlimit` and, where there is one, a script in place of a program.
    private func searchPath(_ workshop: Workshop, _ program: String, script: String?) throws -> String {
        let folder = workshop.root + "/bin-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder + "/prlimit", withDestinationPath: "/usr/bin/prlimit")
        if let script {
            let isWritten = FileManager.default.createFile(
                atPath: folder + "/" + program,
                contents: Data("#!/bin/sh\n\(script)\n".utf8),
                attributes: [.posixPermissions: 0o755]
            )
            try #require(isWritten)
        }
        return folder
    }

    private func signed(_ workshop: Workshop, by program: String) async throws {
        if program == "gpg" {
            try await GPGHome.run(in: workshop) { home in
                try await workshop.commit(["a.yaml": ""], by: try await home.key("alice"))
                try await home.export()
            }
        } else {
            let alice = try await workshop.sshKey("alice")
            try workshop.allow(["alice"])
            try await workshop.commit(["a.yaml": ""], by: alice)
        }
        try await workshop.push()
    }

    private func rules(_ workshop: Workshop, _ program: String, script: String?) throws -> SignatureRules {
        var rules = workshop.rules()
        rules.allowedSignersFile = program == "gpg" ? nil : workshop.allowedSigners
        rules.gpgKeyring = program == "gpg" ? workshop.gpgKeyring : nil
        rules.searchPath = try self.searchPath(workshop, program, script: script)
        return rules
    }

    @Test(arguments: [("ssh-keygen", "openssh-client"), ("gpg", "gnupg")])
    func `a program that is missing is an error that names its package`(program: String, package: String) async throws {
        try await Workshop.run { workshop in
            try await self.signed(workshop, by: program)
            let rules = try self.rules(workshop, program, script: nil)
            let repository = workshop.repository(rules)
            for _ in 1...2 {
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .notConfigured)
                #expect(
                    error.message.contains("\(program), which verifies signatures, is missing: apt install \(package)")
                )
            }
            // Once it is installed, the next poll finds it.
            let folder = try #require(rules.searchPath)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/" + program,
                withDestinationPath: "/usr/bin/" + program
            )
            #expect(try await repository.poll() != nil)
        }
    }

    @Test(arguments: ["ssh-keygen", "gpg"])
    func `a program that hangs is ended with all that it started`(program: String) async throws {
        try await Workshop.run { workshop in
            try await self.signed(workshop, by: program)
            let rules = try self.rules(workshop, program, script: "/bin/sleep 1000 &\nwait")
            let repository = workshop.repository {
                $0.signatures = rules
                $0.limits.signatureTime = .seconds(1)
            }
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .timedOut)
            #expect(error.message.contains("\(program) had no answer before the deadline"), "\(error.message)")
            try await Processes.expectNone(withHome: workshop.storage + "/models/verification/home")
        }
    }

    private static let good = """
        echo '[GNUPG:] GOODSIG 0 Ada'
        echo '[GNUPG:] VALIDSIG 0 2026-01-01 0 0 4 0 22 8 00 0'
        """

    @Test(arguments: [("ssh-keygen", "echo alice@example.org"), ("gpg", good)])
    func `what a program says clearly counts`(program: String, script: String) async throws {
        try await Workshop.run { workshop in
            try await self.signed(workshop, by: program)
            #expect(try await workshop.repository(try self.rules(workshop, program, script: script)).poll() != nil)
        }
    }

    @Test(arguments: [
        ("ssh-keygen", "exit 0"), ("ssh-keygen", "echo alice@example.org; exit 1"),
        ("ssh-keygen", "echo alice@example.org; [ $2 = find-principals ]"), ("ssh-keygen", "kill -9 $$"),
        ("gpg", "exit 0"), ("gpg", good + "\ncase \"$*\" in *--verify*) exit 2 ;; esac"),
        ("gpg", "echo '[GNUPG:] GOODSIG 0 Ada'"),
        ("gpg", good + "\n" + good), ("gpg", good + "\necho '[GNUPG:] ERRSIG 0'"),
        ("gpg", "case \"$*\" in *--import*) exit 2 ;; esac\n" + good),
    ])
    func `what a program does not say clearly does not count`(program: String, script: String) async throws {
        try await Workshop.run { workshop in
            try await self.signed(workshop, by: program)
            let repository = workshop.repository(try self.rules(workshop, program, script: script))
            _ = try await refusal(of: repository)
        }
    }

    @Test
    func `a program that prints without end is ended`() async throws {
        try await Workshop.run { workshop in
            try await self.signed(workshop, by: "ssh-keygen")
            let script = "while :; do echo alice@example.org; done"
            let repository = workshop.repository(try self.rules(workshop, "ssh-keygen", script: script))
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .tooLarge)
        }
    }
}

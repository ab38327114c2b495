import Deployments
import Foundation
import Git
import Reconciliation
import Testing

@Suite("Signatures", .serialized)
struct SignatureTests {
    /// A remote whose commit was signed by Alice, whose key counts, and taken.
    private func taken(_ workshop: Workshop) async throws -> (repository: GitRepository, alice: SigningKey) {
        let alice = try await workshop.sshKey("alice")
        try workshop.allow(["alice"])
        try await workshop.commit(["models/chat.yaml": "signed\n"], by: alice)
        try await workshop.push()
        let repository = workshop.repository(workshop.rules())
        #expect(try await repository.poll()?.origin.commit == workshop.head())
        return (repository, alice)
    }

    @Test
    func `a commit without a signature changes nothing and says why`() async throws {
        try await Workshop.run { workshop in
            let (repository, alice) = try await self.taken(workshop)
            let good = try await workshop.head()
            let bad = try await workshop.commit(["models/chat.yaml": "unsigned\n"], "Red \u{1B}[31malert")
            try await workshop.push()
            for _ in 1...2 {
                let message = try await refusal(of: repository)
                #expect(message.contains("the commit \(bad) (\"Red [31malert\""), "\(message)")
                #expect(message.contains("is not signed. It is not taken, what was taken before stands"))
            }
            // A restart serves what was taken.
            let restarted = workshop.repository(workshop.rules())
            #expect(try await restarted.poll()?.origin.commit == good)
            _ = try await refusal(of: restarted)
            let next = try await workshop.commit([:], by: alice)
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == next)
            #expect(try await repository.poll() == nil)
            #expect(!FileManager.default.fileExists(atPath: workshop.storage + "/models/verification"))
        }
    }

    enum Flaw: String, CaseIterable {
        case otherKey, expired, notYetValid, revoked, wrongNamespace, keyForOtherNamespace, tampered, twice
        case alsoBySHA256, noText, garbage, more, certificate, long, openPGP

        var reason: String {
            switch self {
            case .otherKey: "is signed with an SSH key that does not count by"
            case .expired: "key has expired"
            case .notYetValid: "key is not yet valid"
            case .revoked: "has an SSH signature that is not valid for it"
            case .wrongNamespace: "namespace"
            case .keyForOtherNamespace: "not permitted for use in signature namespace"
            case .tampered: "incorrect signature"
            case .twice: "has two signatures"
            case .alsoBySHA256: "has a signature of its SHA-256 name"
            case .noText: "it is not text"
            case .garbage: "neither one of SSH nor of GPG"
            case .more: "must end with -----END SSH SIGNATURE-----, once"
            case .certificate: "X.509"
            case .long: "more than 64 KiB"
            case .openPGP: "no gpgKeyring is set"
            }
        }
    }

    /// Moves the branch to a commit whose signature does not count.
    private func commit(_ workshop: Workshop, with flaw: Flaw, _ alice: SigningKey) async throws {
        switch flaw {
        case .otherKey:
            try await workshop.commit(["a.yaml": ""], by: try await workshop.sshKey("mallory"))
            return
        case .revoked:
            try FileManager.default.copyItem(atPath: workshop.root + "/alice.pub", toPath: workshop.revokedKeys)
        case .expired: try workshop.allow(["alice"], options: "valid-before=\"20200101\"")
        case .notYetValid: try workshop.allow(["alice"], options: "valid-after=\"20990101\"")
        case .keyForOtherNamespace: try workshop.allow(["alice"], options: "namespaces=\"file\"")
        case .wrongNamespace, .tampered, .twice, .alsoBySHA256, .noText, .garbage, .more, .certificate, .long,
            .openPGP:
            break
        }
        try await workshop.commit(["a.yaml": ""], "Good", by: alice)
        let raw = try await workshop.raw()
        let start = try #require(raw.firstRange(of: "gpgsig ")).lowerBound
        let end = try #require(raw.firstRange(of: "-----END SSH SIGNATURE-----\n")).upperBound
        let signature = String(raw[start..<end])
        let bare = raw[..<start] + raw[end...]
        func forge(_ other: String) async throws {
            try await workshop.forge(raw[..<start] + other + raw[end...])
        }
        switch flaw {
        case .otherKey, .expired, .notYetValid, .revoked, .keyForOtherNamespace: break
        case .wrongNamespace:
            let file = workshop.root + "/bare"
            try Data(bare.utf8).write(to: URL(filePath: file))
            try await Workshop.command(
                "ssh-keygen",
                ["-Y", "sign", "-q", "-n", "file", "-f", workshop.root + "/alice", file]
            )
            let other = try String(contentsOfFile: file + ".sig", encoding: .utf8).split(separator: "\n")
            try await forge("gpgsig " + other.joined(separator: "\n ") + "\n")
        case .tampered: try await workshop.forge(raw.replacing("\n\nGood", with: "\n\nEvil"))
        case .twice: try await forge(signature + signature)
        case .alsoBySHA256: try await forge(signature + signature.replacing("gpgsig", with: "gpgsig-sha256"))
        case .noText: try await forge(signature.replacing("U1NI", with: "\u{7}"))
        case .garbage: try await forge("gpgsig yes\n")
        case .more: try await forge(signature + " and more\n")
        case .certificate: try await forge(signature.replacing("SSH SIGNATURE", with: "SIGNED MESSAGE"))
        case .long: try await forge(signature.replacing("U1NI", with: String(repeating: "U", count: 64 << 10)))
        case .openPGP: try await forge(signature.replacing("SSH", with: "PGP"))
        }
    }

    @Test(arguments: Flaw.allCases)
    func `a signature that does not count is refused and says why`(_ flaw: Flaw) async throws {
        try await Workshop.run { workshop in
            let (_, alice) = try await self.taken(workshop)
            try await self.commit(workshop, with: flaw, alice)
            try await workshop.push()
            let repository = workshop.repository(
                workshop.rules { if flaw == .revoked { $0.revokedKeysFile = workshop.revokedKeys } }
            )
            // What was taken; the branch is not in a good state.
            #expect(try await repository.poll()?.origin.commit != workshop.head())
            let message = try await refusal(of: repository)
            #expect(message.contains(flaw.reason), "\(message)")
            #expect(!message.contains("/verification/"), "\(message)")
        }
    }

    @Test
    func `a commit that is too large to be looked at is refused`() async throws {
        try await Workshop.run { workshop in
            let (_, alice) = try await self.taken(workshop)
            try await workshop.commit([:], String(repeating: "x", count: 4096), by: alice)
            try await workshop.push()
            let repository = workshop.repository {
                $0.signatures = workshop.rules()
                $0.limits.commitBytes = 4096
            }
            _ = try await repository.poll()
            #expect(try await refusal(of: repository).contains("has more than 4 KiB without its files"))
        }
    }

    @Test
    func `a key that is added counts at the next poll, though the branch stands still`() async throws {
        try await Workshop.run { workshop in
            let (repository, _) = try await self.taken(workshop)
            let commit = try await workshop.commit(["a.yaml": ""], by: try await workshop.sshKey("bob"))
            try await workshop.push()
            _ = try await refusal(of: repository)
            try workshop.allow(["alice", "bob"])
            #expect(try await repository.poll()?.origin.commit == commit)
        }
    }

    @Test
    func `a file that cannot be read refuses everything until it can`() async throws {
        try await Workshop.run { workshop in
            let (_, alice) = try await self.taken(workshop)
            let repository = workshop.repository(workshop.rules { $0.revokedKeysFile = workshop.revokedKeys })
            #expect(try await repository.poll() != nil)
            let commit = try await workshop.commit(["a.yaml": ""], by: alice)
            try await workshop.push()
            #expect(try await refusal(of: repository).contains("\(workshop.revokedKeys) cannot be read"))
            try Data().write(to: URL(filePath: workshop.revokedKeys))
            #expect(try await repository.poll()?.origin.commit == commit)
        }
    }

    @Test
    func `what was taken stays taken when its key is gone`() async throws {
        try await Workshop.run { workshop in
            let (_, _) = try await self.taken(workshop)
            try workshop.allow([])
            let restarted = workshop.repository(workshop.rules())
            #expect(try await restarted.poll()?.origin.commit == workshop.head())
            #expect(try await restarted.poll() == nil)
            // Also when it has to be brought anew.
            try FileManager.default.removeItem(atPath: workshop.storage + "/models/store.git")
            #expect(try await workshop.repository(workshop.rules()).poll()?.origin.commit == workshop.head())
        }
    }

    @Test
    func `what was taken before signatures were required is served and reported`() async throws {
        try await Workshop.run { workshop in
            let bob = try await workshop.sshKey("bob")
            _ = try await workshop.sshKey("alice")
            try workshop.allow(["alice"])
            let commit = try await workshop.commit(["a.yaml": ""], by: bob)
            try await workshop.push()
            _ = try await workshop.repository(nil).poll()
            let stricter = workshop.repository(workshop.rules())
            #expect(try await stricter.poll()?.origin.commit == commit)
            _ = try await refusal(of: stricter)
            // Once it meets the requirement it is no news, and need not meet it again.
            try workshop.allow(["alice", "bob"])
            #expect(try await stricter.poll() == nil)
            try workshop.allow(["alice"])
            #expect(try await stricter.poll() == nil)
            let restarted = workshop.repository(workshop.rules())
            #expect(try await restarted.poll()?.origin.commit == commit)
            #expect(try await restarted.poll() == nil)
        }
    }

    @Test
    func `the signer of the head answers for what it brings`() async throws {
        try await Workshop.run { workshop in
            let (repository, alice) = try await self.taken(workshop)
            try await workshop.commit(["a.yaml": "unsigned"])
            let commit = try await workshop.commit([:], by: alice)
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == commit)
        }
    }

    @Test
    func `a key that a certificate authority vouches for counts`() async throws {
        try await Workshop.run { workshop in
            _ = try await workshop.sshKey("authority")
            let carol = try await workshop.sshKey("carol")
            try await Workshop.command(
                "ssh-keygen",
                [
                    "-q", "-s", workshop.root + "/authority", "-I", "carol", "-n", "carol@example.org", "-V", "+1h",
                    workshop.root + "/carol.pub",
                ]
            )
            let line = "*@example.org cert-authority \(try workshop.publicKey("authority"))\n"
            try Data(line.utf8).write(to: URL(filePath: workshop.allowedSigners))
            guard case .ssh(let path) = carol else { return }
            try await workshop.commit(["a.yaml": ""], by: .ssh(path + "-cert.pub"))
            try await workshop.push()
            let rules = workshop.rules {
                $0.paths = [.init(pattern: "**", groups: ["team"], signers: ["carol@example.org"])]
            }
            #expect(try await workshop.repository(rules).poll() != nil)
        }
    }
}

import Deployments
import Foundation
import Git
import Reconciliation
import Testing

@Suite("OpenPGP signatures", .serialized)
struct GPGSignatureTests {
    private func rules(_ workshop: Workshop) -> SignatureRules {
        SignatureRules(requirement: .head, gpgKeyring: workshop.gpgKeyring)
    }

    private func fingerprint(_ key: SigningKey) -> String {
        guard case .gpg(_, let fingerprint) = key else { return "" }
        return fingerprint
    }

    @Test(arguments: [true, false])
    func `a commit signed by a key of the keyring is taken`(isArmored: Bool) async throws {
        try await Workshop.run { workshop in
            try await GPGHome.run(in: workshop) { home in
                let commit = try await workshop.commit(["a.yaml": ""], by: try await home.key("alice"))
                try await workshop.push()
                try await home.export()
                if !isArmored {
                    let file = workshop.gpgKeyring
                    try await home.gpg(["--yes", "--output", file + ".bin", "--dearmor", file])
                    try FileManager.default.removeItem(atPath: file)
                    try FileManager.default.moveItem(atPath: file + ".bin", toPath: file)
                }
                let repository = workshop.repository(self.rules(workshop))
                #expect(try await repository.poll()?.origin.commit == commit)
                #expect(try await repository.poll() == nil)
            }
        }
    }

    enum Flaw: String, CaseIterable {
        case unknown, expired, revoked, expiredSignature, tampered, weak, twice, secret, garbage, none

        var reason: String {
            switch self {
            case .unknown: "is signed with the key"
            case .expired: "with a key that has expired"
            case .revoked: "with a key that was revoked"
            case .expiredSignature: "has a signature that has expired"
            case .tampered: "is not what its signature was made for"
            case .weak: "by a digest that can be forged"
            case .twice: "has two signatures"
            case .secret, .garbage: "gpg does not take"
            case .none: "is signed with an OpenPGP key, and no gpgKeyring is set"
            }
        }
    }

    /// In 2020, when what was made for a year or a day was still good.
    private static let past = ["--faked-system-time", "20200301T000000!"]

    private func commit(_ workshop: Workshop, with flaw: Flaw, _ home: GPGHome) async throws {
        let key =
            switch flaw {
            case .expired:
                try await home.key("alice", expiry: "1y", making: Self.past, signing: Self.past)
            case .expiredSignature:
                try await home.key(
                    "alice",
                    making: Self.past,
                    signing: Self.past + ["--default-sig-expire", "1d"]
                )
            case .weak: try await home.key("alice", signing: ["--digest-algo", "SHA1"])
            case .twice:
                try await home.key(
                    "alice",
                    signing: ["--local-user", self.fingerprint(try await home.key("bob"))]
                )
            case .unknown, .revoked, .tampered, .secret, .garbage, .none: try await home.key("alice")
            }
        try await workshop.commit(["a.yaml": ""], "Good", by: key)
        if flaw == .revoked { try await home.revoke(self.fingerprint(key)) }
        if flaw == .tampered { try await workshop.forge(try await workshop.raw().replacing("Good", with: "Evil")) }
        switch flaw {
        case .unknown:
            _ = try await home.key("bob")
            try await home.export("bob")
        case .secret:
            let text = try await home.gpg(["--armor", "--export-secret-keys"])
            try Data((text + "\n").utf8).write(to: URL(filePath: workshop.gpgKeyring))
        case .garbage: try Data("no keys".utf8).write(to: URL(filePath: workshop.gpgKeyring))
        case .expired, .revoked, .expiredSignature, .tampered, .weak, .twice, .none: try await home.export()
        }
        try await workshop.push()
    }

    @Test(arguments: Flaw.allCases)
    func `a signature that does not count is refused and says why`(_ flaw: Flaw) async throws {
        try await Workshop.run { workshop in
            try await GPGHome.run(in: workshop) { home in
                try await self.commit(workshop, with: flaw, home)
                _ = try await workshop.sshKey("alice")
                try workshop.allow(["alice"])
                let rules = flaw == .none ? workshop.rules() : self.rules(workshop)
                let message = try await refusal(of: workshop.repository(rules))
                #expect(message.contains(flaw.reason), "\(message)")
            }
        }
    }

    @Test
    func `a group names keys by fingerprint, the primary key for its subkeys`() async throws {
        try await Workshop.run { workshop in
            try await GPGHome.run(in: workshop) { home in
                let alice = try await home.key("alice")
                try await home.gpg(["--quick-add-key", self.fingerprint(alice), "ed25519", "sign", "never"])
                let commit = try await workshop.commit(["a.yaml": ""], by: alice)
                try await workshop.push()
                try await home.export()
                var rules = self.rules(workshop)
                // What the key says of its owner is the owner's word.
                rules.paths = [.init(pattern: "**", groups: ["team"], signers: ["alice@example.org"])]
                let message = try await refusal(of: workshop.repository(rules))
                #expect(message.contains(self.fingerprint(alice)))
                rules.paths = [.init(pattern: "**", groups: ["team"], signers: [self.fingerprint(alice)])]
                #expect(try await workshop.repository(rules).poll()?.origin.commit == commit)
            }
        }
    }
}

import Deployments
import Foundation
import Git
import Reconciliation
import Testing

@Suite("Signatures since a commit", .serialized)
struct SignedRangeTests {
    /// A remote with commits that nobody signed, of which the last is where signatures begin.
    private func begin(
        _ workshop: Workshop,
        unsigned: Int = 20
    ) async throws -> (rules: SignatureRules, since: String, alice: SigningKey) {
        let alice = try await workshop.sshKey("alice")
        try workshop.allow(["alice"])
        try await workshop.commits(unsigned)
        let since = try await workshop.head()
        return (workshop.rules(.since(since)), since, alice)
    }

    @Test
    func `the commit that signatures begin after needs none`() async throws {
        try await Workshop.run { workshop in
            let (rules, since, _) = try await self.begin(workshop)
            try await workshop.push()
            #expect(try await workshop.repository(rules).poll()?.origin.commit == since)
        }
    }

    @Test
    func `a commit is taken when all since then are signed, however many they are`() async throws {
        try await Workshop.run { workshop in
            let (rules, _, alice) = try await self.begin(workshop)
            for index in 1...18 { try await workshop.commit(["a.yaml": "\(index)"], by: alice) }
            try await workshop.push()
            let repository = workshop.repository(rules)
            #expect(try await repository.poll()?.origin.commit == workshop.head())
            #expect(try await repository.poll() == nil)
        }
    }

    @Test(arguments: [1, 18])
    func `a gap below a signed head is refused and named`(above: Int) async throws {
        try await Workshop.run { workshop in
            let (rules, _, alice) = try await self.begin(workshop)
            try await workshop.commit(["a.yaml": "signed"], by: alice)
            let gap = try await workshop.commit(["a.yaml": "unsigned"], "Gap")
            for index in 1...above { try await workshop.commit(["a.yaml": "\(index)"], by: alice) }
            try await workshop.push()
            let message = try await refusal(of: workshop.repository(rules))
            #expect(message.contains("brings \(gap) (\"Gap\""), "\(message)")
            #expect(message.contains("which is not signed"))
        }
    }

    @Test
    func `what a merge brings must be signed, too`() async throws {
        try await Workshop.run { workshop in
            let (rules, _, alice) = try await self.begin(workshop)
            try await workshop.push()
            let repository = workshop.repository(rules)
            #expect(try await repository.poll() != nil)
            try await workshop.git("checkout", "--quiet", "-b", "side")
            let unsigned = try await workshop.commit(["side.yaml": ""])
            try await workshop.git("checkout", "--quiet", "main")
            try await workshop.commit(["a.yaml": ""], by: alice)
            try await workshop.merge("side", by: alice)
            try await workshop.push()
            #expect(try await refusal(of: repository).contains("brings \(unsigned)"))
        }
    }

    @Test
    func `a signed branch from before is merged, and what is older than the beginning is not looked at`() async throws {
        try await Workshop.run { workshop in
            try await workshop.git("checkout", "--quiet", "-b", "side")
            try await workshop.git("checkout", "--quiet", "main")
            let (rules, _, alice) = try await self.begin(workshop, unsigned: 300)
            try await workshop.push()
            let repository = workshop.repository(rules)
            #expect(try await repository.poll() != nil)
            try await workshop.git("checkout", "--quiet", "side")
            try await workshop.commit(["side.yaml": ""], by: alice)
            try await workshop.git("checkout", "--quiet", "main")
            let merge = try await workshop.merge("side", by: alice)
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == merge)
            // The same from nothing.
            let fresh = workshop.repository(name: "fresh") { $0.signatures = rules }
            #expect(try await fresh.poll()?.origin.commit == merge)
        }
    }

    @Test
    func `an unsigned branch from before is refused`() async throws {
        try await Workshop.run { workshop in
            try await workshop.git("checkout", "--quiet", "-b", "side")
            let unsigned = try await workshop.commit(["side.yaml": ""])
            try await workshop.git("checkout", "--quiet", "main")
            let (rules, _, alice) = try await self.begin(workshop)
            try await workshop.merge("side", by: alice)
            try await workshop.push()
            #expect(try await refusal(of: workshop.repository(rules)).contains("brings \(unsigned)"))
        }
    }

    @Test(arguments: [true, false])
    func `a branch that does not descend from the beginning is refused`(isOlder: Bool) async throws {
        try await Workshop.run { workshop in
            let (rules, since, alice) = try await self.begin(workshop)
            if isOlder {
                try await workshop.git("reset", "--quiet", "--hard", "HEAD~1")
            } else {
                try await workshop.git("checkout", "--quiet", "--orphan", "other")
                try await workshop.commit(["a.yaml": ""], by: alice)
            }
            try await workshop.push()
            let message = try await refusal(of: workshop.repository(rules))
            #expect(message.contains("does not descend from \(since)"), "\(message)")
        }
    }

    @Test
    func `a server whose history ends too early is refused`() async throws {
        try await Workshop.run { workshop in
            let (rules, _, alice) = try await self.begin(workshop)
            try await workshop.commit(["a.yaml": "1"], by: alice)
            try await workshop.commit(["a.yaml": "2"], by: alice)
            try await workshop.push()
            let mirror = workshop.root + "/mirror.git"
            try await workshop.git("clone", "--quiet", "--bare", "--depth=1", "file://" + workshop.remote, mirror)
            let repository = workshop.repository(url: "file://" + mirror) { $0.signatures = rules }
            #expect(try await refusal(of: repository).contains("the server's history ends before"))
        }
    }

    @Test
    func `more commits than there may be are refused`() async throws {
        try await Workshop.run { workshop in
            let (rules, _, alice) = try await self.begin(workshop)
            for index in 1...4 { try await workshop.commit(["a.yaml": "\(index)"], by: alice) }
            try await workshop.push()
            let repository = workshop.repository {
                $0.signatures = rules
                $0.limits.signedCommits = 3
            }
            #expect(try await refusal(of: repository).contains("more than 3 commits after it"))
        }
    }

    @Test
    func `only what is new is verified, also after a restart and with a lost store`() async throws {
        try await Workshop.run { workshop in
            let (rules, since, alice) = try await self.begin(workshop)
            try await workshop.commit(["a.yaml": "1"], by: alice)
            try await workshop.push()
            let repository = workshop.repository(rules)
            #expect(try await repository.poll() != nil)
            // Alice left. What she signed stays, and she signs no more.
            let bob = try await workshop.sshKey("bob")
            try workshop.allow(["bob"])
            try await workshop.commit(["a.yaml": "2"], by: bob)
            try await workshop.push()
            #expect(try await repository.poll() != nil)
            try await workshop.commit(["a.yaml": "3"], by: bob)
            try await workshop.push()
            #expect(try await workshop.repository(rules).poll()?.origin.commit == workshop.head())
            try FileManager.default.removeItem(atPath: workshop.storage + "/models/store.git")
            try await workshop.commit(["a.yaml": "4"], by: bob)
            try await workshop.push()
            #expect(try await workshop.repository(rules).poll()?.origin.commit == workshop.head())
            try await workshop.commit(["a.yaml": "5"], by: alice)
            try await workshop.push()
            _ = try await refusal(of: repository)
            // Another beginning is another requirement.
            let earlier = try await workshop.git("rev-parse", since + "~1")
            let other = workshop.repository(workshop.rules(.since(earlier)))
            #expect(try await other.poll() != nil)
            #expect(try await refusal(of: other).contains("brings \(since)"))
        }
    }

    @Test
    func `a rewritten branch is verified from the beginning`() async throws {
        try await Workshop.run { workshop in
            let (rules, since, alice) = try await self.begin(workshop)
            try await workshop.commit(["a.yaml": "1"], by: alice)
            try await workshop.push()
            let repository = workshop.repository {
                $0.signatures = rules
                $0.historyRewrite = .accept
            }
            #expect(try await repository.poll() != nil)
            try await workshop.git("reset", "--quiet", "--hard", since)
            let gap = try await workshop.commit(["a.yaml": "unsigned"])
            try await workshop.commit(["a.yaml": "2"], by: alice)
            try await workshop.push()
            #expect(try await refusal(of: repository).contains("brings \(gap)"))
            try await workshop.git("reset", "--quiet", "--hard", since)
            let good = try await workshop.commit(["a.yaml": "3"], by: alice)
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == good)
        }
    }
}

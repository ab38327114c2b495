import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

@Suite("History")
struct HistoryTests {
    /// Six commits in the remote, of which `poll` took the fourth and then the last.
    private func taken(
        _ workshop: Workshop,
        _ change: (inout GitRepositoryConfiguration) -> Void = { _ in }
    ) async throws -> GitRepository {
        let repository = workshop.repository(change)
        try await workshop.commit(["a.yaml": "2"])
        try await workshop.commits(2)
        try await workshop.push()
        #expect(try await repository.poll() != nil)
        try await workshop.commits(2)
        try await workshop.push()
        #expect(try await repository.poll()?.rewroteHistory == false)
        return repository
    }

    @Test
    func `many commits at once descend`() async throws {
        try await Workshop.run { workshop in
            let repository = try await self.taken(workshop)
            try await workshop.commits(40)
            try await workshop.push()
            let snapshot = try #require(try await repository.poll())
            #expect(try await snapshot.origin.commit == workshop.head())
            #expect(!snapshot.rewroteHistory)
        }
    }

    @Test
    func `a merge of a branch that is older than the first commit taken descends`() async throws {
        try await Workshop.run { workshop in
            try await workshop.git("checkout", "--quiet", "-b", "side")
            try await workshop.commit(["side.yaml": ""])
            try await workshop.commits(20)
            try await workshop.git("checkout", "--quiet", "main")
            let repository = try await self.taken(workshop)
            try await workshop.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
            try await workshop.push()
            let snapshot = try #require(try await repository.poll())
            #expect(!snapshot.rewroteHistory)
            #expect(snapshot.files.map(\.path) == ["a.yaml", "models/chat.yaml", "side.yaml"])
        }
    }

    @Test
    func `the commit taken may be the second parent of a merge`() async throws {
        try await Workshop.run { workshop in
            try await workshop.git("checkout", "--quiet", "-b", "side")
            try await workshop.commit(["side.yaml": ""])
            try await workshop.commits(20)
            try await workshop.git("checkout", "--quiet", "main")
            let repository = try await self.taken(workshop)
            try await workshop.git("checkout", "--quiet", "side")
            try await workshop.git("merge", "--quiet", "--no-ff", "-m", "Merge", "main")
            try await workshop.push()
            #expect(try await repository.poll()?.rewroteHistory == false)
        }
    }

    enum Rewrite: String, CaseIterable {
        case amended, olderAndTaken, olderAndTakenFirst, olderThanAllTaken, unrelated, longAndDiverged
    }

    /// Points the remote's branch at a commit that does not descend from the last one.
    private func rewrite(_ workshop: Workshop, _ rewrite: Rewrite) async throws {
        switch rewrite {
        case .amended:
            try await workshop.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "Amended")
        case .olderAndTaken:
            try await workshop.git("reset", "--quiet", "--hard", "HEAD~1")
        case .olderAndTakenFirst:
            try await workshop.git("reset", "--quiet", "--hard", "HEAD~2")
        case .olderThanAllTaken:
            try await workshop.git("reset", "--quiet", "--hard", "HEAD~5")
        case .unrelated:
            try await workshop.git("checkout", "--quiet", "--orphan", "other")
            try await workshop.commit(["a.yaml": "unrelated"])
        case .longAndDiverged:
            try await workshop.git("reset", "--quiet", "--hard", "HEAD~1")
            try await workshop.commits(20)
        }
        try await workshop.push()
    }

    @Test(arguments: Rewrite.allCases)
    func `a rewritten branch is refused until it descends again`(_ rewrite: Rewrite) async throws {
        try await Workshop.run { workshop in
            let repository = try await self.taken(workshop)
            let taken = try await workshop.head()
            try await self.rewrite(workshop, rewrite)
            let rewritten = try await workshop.head()
            for _ in 1...2 {
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .historyRewritten)
                #expect(error.recovery == .needsOperator)
                #expect(error.message.contains(taken) && error.message.contains(rewritten))
                #expect(error.message.contains("historyRewrite: accept"))
            }
            // Also for a controller that starts now, which has the last good commit first.
            let restarted = workshop.repository()
            #expect(try await restarted.poll()?.origin.commit == taken)
            let error = try await sourceError { _ = try await restarted.poll() }
            #expect(error.code == .historyRewritten)
            try await workshop.git("reset", "--quiet", "--hard", taken)
            let mended = try await workshop.commit(["a.yaml": "mended"])
            try await workshop.push()
            let snapshot = try await repository.poll()
            #expect(snapshot?.origin.commit == mended)
            #expect(snapshot?.rewroteHistory == false)
        }
    }

    @Test(arguments: [Rewrite.amended, .olderThanAllTaken, .unrelated])
    func `a rewritten branch is taken, and marked until that is acknowledged, where the policy accepts it`(
        _ rewrite: Rewrite
    ) async throws {
        try await Workshop.run { workshop in
            let repository = try await self.taken(workshop) { $0.historyRewrite = .accept }
            try await self.rewrite(workshop, rewrite)
            let snapshot = try #require(try await repository.poll())
            #expect(try await snapshot.origin.commit == workshop.head())
            #expect(snapshot.rewroteHistory)
            #expect(try await repository.poll() == nil)
            // Also for a controller that was killed before it could journal what follows from it.
            let next = try await workshop.commit(["a.yaml": "on top"])
            try await workshop.push()
            let restarted = workshop.repository { $0.historyRewrite = .accept }
            #expect(try await restarted.poll()?.rewroteHistory == true)
            try await restarted.acknowledge(commit: next)
            try await workshop.commit(["a.yaml": "more"])
            try await workshop.push()
            #expect(try await restarted.poll()?.rewroteHistory == false)
        }
    }

    @Test
    func `a rewritten branch that is put back has not moved`() async throws {
        try await Workshop.run { workshop in
            let repository = try await self.taken(workshop)
            let taken = try await workshop.head()
            try await self.rewrite(workshop, .amended)
            _ = try await sourceError { _ = try await repository.poll() }
            try await workshop.push(taken)
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `an operator who changes the policy gets the branch as it is`() async throws {
        try await Workshop.run { workshop in
            let repository = try await self.taken(workshop)
            try await self.rewrite(workshop, .amended)
            _ = try await sourceError { _ = try await repository.poll() }
            let accepting = workshop.repository { $0.historyRewrite = .accept }
            let snapshot = try await accepting.poll()
            #expect(try await snapshot?.origin.commit == workshop.head())
            #expect(snapshot?.rewroteHistory == true)
        }
    }

    @Test
    func `a lost store does not forget which commit was taken`() async throws {
        try await Workshop.run { workshop in
            _ = try await self.taken(workshop)
            try FileManager.default.removeItem(atPath: workshop.storage + "/models/store.git")
            try await workshop.commit(["a.yaml": "next"])
            try await workshop.push()
            #expect(try await workshop.repository().poll()?.rewroteHistory == false)
            try FileManager.default.removeItem(atPath: workshop.storage + "/models/store.git")
            try await self.rewrite(workshop, .amended)
            let error = try await sourceError { _ = try await workshop.repository().poll() }
            #expect(error.code == .historyRewritten)
        }
    }
}

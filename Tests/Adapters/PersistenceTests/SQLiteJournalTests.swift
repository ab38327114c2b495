import Deployments
import Foundation
import Persistence
import Reconciliation
import Rollouts
import Testing

@Suite
struct SQLiteJournalTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID().uuidString)").path
    var path: String { "\(self.folder)/journal.sqlite" }

    static let id = DeploymentID(namespace: "search", name: "file-type")
    static let time = Timestamp(milliseconds: 1_700_000_000_000)

    init() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    func member() -> Member {
        var rollout = Rollout(id: Self.id, at: Self.time)
        let spec = DeploymentSpec(
            id: Self.id,
            revision: Revision(digest: "abc"),
            origin: CommitReference(repository: "models", branch: "main", commit: "1"),
            model: Model(name: "m", version: "1", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"])
        )
        _ = rollout.handle(Situation(desired: .spec(spec)), at: Self.time)
        return Member(rollout: rollout, traffic: [Revision(digest: "abc"): .all], repository: "models")
    }

    func record(_ member: Member?, _ message: String, outbox: [OutboxItem] = []) -> JournalRecord {
        let transition = Transition(time: Self.time, kind: .promoted, message: message)
        return JournalRecord(
            deployment: Self.id,
            time: Self.time,
            member: member,
            transitions: [transition],
            outbox: outbox
        )
    }

    func item(_ id: String) -> OutboxItem {
        OutboxItem(id: id, repository: "models", commit: "1", key: "search/file-type", note: "{}")
    }

    @Test
    func `what was appended is there after the file is opened again`() async throws {
        let member = self.member()
        let first = try SQLiteJournal(path: self.path)
        try await first.append(self.record(member, "one", outbox: [self.item("a"), self.item("b")]))
        let second = try SQLiteJournal(path: self.path)
        let contents = try await second.load()
        #expect(contents.members == [Self.id: member])
        #expect(contents.outbox == [self.item("a"), self.item("b")])
    }

    @Test
    func `what a forge is to be told is kept beside what an older controller left for git`() async throws {
        var news = self.item("news")
        news.news = ForgeNews(
            topic: .comment,
            report: RolloutReport(
                deployment: "search/file-type",
                commit: "1",
                state: .failed,
                outcome: "rolled-back",
                reason: "errors",
                label: "m 2",
                time: "2026-11-30T12:00:00.000Z"
            )
        )
        // As it was written before there were forges.
        let text = #"{"commit":"1","id":"a","key":"search/file-type","note":"{}","repository":"models"}"#
        let old = try JSONDecoder().decode(OutboxItem.self, from: Data(text.utf8))
        #expect(old == self.item("a"))
        let journal = try SQLiteJournal(path: self.path)
        try await journal.append(self.record(self.member(), "one", outbox: [old, news]))
        #expect(try await journal.load().outbox == [old, news])
    }

    @Test
    func `an outbox item is kept once, and goes when it is settled`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        try await journal.append(self.record(self.member(), "one", outbox: [self.item("a")]))
        try await journal.append(self.record(self.member(), "two", outbox: [self.item("a")]))
        #expect(try await journal.load().outbox == [self.item("a")])
        try await journal.settle(self.item("a"))
        #expect(try await journal.load().outbox.isEmpty)
    }

    @Test
    func `history is the newest transitions, oldest first, also of a deployment that is gone`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        for number in 1...5 { try await journal.append(self.record(self.member(), "\(number)")) }
        try await journal.append(self.record(nil, "gone"))
        let messages = try await journal.history(of: Self.id, limit: 3).map(\.transition.message)
        #expect(messages == ["4", "5", "gone"])
        #expect(try await journal.history(of: nil, limit: 100).count == 6)
        #expect(try await journal.history(of: DeploymentID(namespace: "a", name: "b"), limit: 9).isEmpty)
        #expect(try await journal.load().members.isEmpty)
    }

    @Test
    func `events of all or of a namespace have numbers that rise, from which one goes on`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        for name in ["search/a", "search-2/b", "sear/c", "search/d", "searcha/e"] {
            var record = self.record(nil, name)
            record.deployment = try #require(DeploymentID(name))
            try await journal.append(record)
        }
        let all = try await journal.events(after: nil, in: nil, limit: 3)
        #expect(all.map(\.event.transition.message) == ["sear/c", "search/d", "searcha/e"])
        let own = try await journal.events(after: nil, in: "search", limit: 9)
        #expect(own.map(\.event.deployment.description) == ["search/a", "search/d"])
        let first = try #require(own.first?.number)
        let rest = try await journal.events(after: first, in: nil, limit: 2)
        #expect(rest.map(\.event.transition.message) == ["search-2/b", "sear/c"])
        #expect(rest.map(\.number) == rest.map(\.number).sorted())
        #expect(try await journal.events(after: try #require(all.last?.number), in: nil, limit: 9).isEmpty)
    }

    @Test
    func `a file of a newer controller is refused, and left alone`() throws {
        do { _ = try SQLiteJournal(path: self.path) }
        let tool = Process()
        tool.executableURL = URL(filePath: "/usr/bin/env")
        let insert = "INSERT INTO grdb_migrations VALUES ('9: from the future')"
        let script = "import sqlite3; c = sqlite3.connect('\(self.path)'); c.execute(\"\(insert)\"); c.commit()"
        tool.arguments = ["python3", "-c", script]
        try tool.run()
        tool.waitUntilExit()
        #expect(tool.terminationStatus == 0)
        let error = #expect(throws: JournalError.self) { try SQLiteJournal(path: self.path) }
        #expect(error?.code == .newerVersion)
    }

    @Test
    func `a damaged file says what to do`() throws {
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: self.path))
        let error = #expect(throws: JournalError.self) { try SQLiteJournal(path: self.path) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("restore a backup") == true)
    }

    @Test
    func `a folder that is not there says what to check`() {
        let error = #expect(throws: JournalError.self) { try SQLiteJournal(path: "/nowhere/at/all/journal.sqlite") }
        #expect(error?.code == .unavailable)
    }
}

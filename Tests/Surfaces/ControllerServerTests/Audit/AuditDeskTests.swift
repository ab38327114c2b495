import Audits
import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Logging
import Persistence
import ServiceLifecycle
import Synchronization
import Testing

/// The API with an audit on disk behind it.
private struct AuditedServer: Sendable {
    let fixture: ServerFixture
    let trail: AuditTrail
    var path: String { self.fixture.folder.appending(path: "audit.sqlite").path }
    /// What the audit held when the engine was asked.
    let seen = Seen()

    final class Seen: Sendable {
        let entries = Mutex<[[AuditEntry]]>([])
    }

    init() throws {
        self.fixture = try ServerFixture()
        let path = self.fixture.folder.appending(path: "audit.sqlite").path
        self.trail = AuditTrail(
            store: SQLiteAudit(path: path),
            logger: self.fixture.silentLogger,
            retry: .milliseconds(20),
            now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
        )
    }

    var client: ControllerClient { self.fixture.client }

    func serving(_ body: @escaping @Sendable (AuditedServer) async throws -> Void) async throws {
        let (fleet, trail, seen) = (self.fixture.fleet, self.trail, self.seen)
        let tokens = try TokenStore(path: self.fixture.folder.appending(path: "tokens.json").path) { Date() }
        let server = APIServer(
            socket: self.fixture.socket,
            fleet: { fleet },
            history: { _, _ in [] },
            chapter: { _, _ in nil },
            feedback: { _, labels in FeedbackAnswer(counted: labels.count, unknown: 0) },
            command: { _, request in
                // An audit that cannot be read holds nothing that was written before.
                let entries = (try? await trail.store.entries(AuditQuery())) ?? []
                seen.entries.withLock { $0.append(entries) }
                let isAccepted = request.verb != .promote
                return OperatorAnswer(accepted: isAccepted, changed: isAccepted, message: "\(request.verb.rawValue)!")
            },
            batch: { batch in
                let answer = OperatorAnswer(accepted: true, changed: true, message: "paused")
                return BatchAnswer(answers: (batch.selection.names ?? []).map { .init(deployment: $0, answer) })
            },
            tokens: tokens,
            freeze: { FreezeAnswer(accepted: true, changed: true, message: "frozen by \($0.by)") },
            unfreeze: { FreezeAnswer(accepted: $0 == 1, changed: $0 == 1, message: "freeze \($0) of \($1)") },
            audit: trail,
            logger: self.fixture.silentLogger
        )
        let group = ServiceGroup(services: [trail, server], logger: self.fixture.silentLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                while (try? await self.client.fleet()) == nil { try await Task.sleep(for: .milliseconds(10)) }
                do { try await body(self) } catch { Issue.record("\(error)") }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    func damage() throws { try Data("no database at all, of no kind".utf8).write(to: URL(filePath: self.path)) }
}

@Suite("The audit of the API", .timeLimit(.minutes(5)))
struct AuditDeskTests {
    private static let id = DeploymentID(namespace: "search", name: "file-type")

    @Test
    func `a command is written before the engine hears of it, and again with what came of it`() async throws {
        try await AuditedServer().serving { server in
            let request = OperatorRequest(verb: .rollback, why: "wrong labels", to: "abcd", revert: .branch)
            #expect(try await server.client.command(Self.id, request).accepted)
            let before = try #require(server.seen.entries.withLock { $0.last })
            #expect(before.map(\.stage) == ["asked"])
            #expect(before.map(\.action) == ["rollback"])
            let entries = try await server.client.audit(AuditFilter(limit: 10))
            #expect(entries.map(\.stage) == ["asked", "answered"])
            let answer = try #require(entries.last)
            #expect(answer.request == entries.first?.request)
            #expect(answer.request != nil)
            #expect(answer.deployment == "search/file-type")
            #expect(answer.way == "socket")
            #expect(answer.why == "wrong labels")
            #expect(answer.parameters == ["to": "abcd", "revert": "branch"])
            #expect(answer.accepted == true)
            #expect(answer.message == "rollback!")
            #expect(answer.before == ["phase": "settled"])
            #expect(answer.after == ["phase": "settled"])
            #expect(answer.previous == entries.first?.hash)
        }
    }

    @Test
    func `what the engine refused is audited too`() async throws {
        try await AuditedServer().serving { server in
            let request = OperatorRequest(verb: .promote, full: true, force: true)
            #expect(!(try await server.client.command(Self.id, request).accepted))
            let answer = try #require(try await server.client.audit(AuditFilter(limit: 1)).last)
            #expect(answer.accepted == false)
            #expect(answer.parameters == ["full": "true", "force": "true"])
        }
    }

    @Test
    func `a command for many has an entry for each of them`() async throws {
        try await AuditedServer().serving { server in
            let names = ["search/file-type", "default/embedder"]
            _ = try await server.client.command(
                BatchRequest(verb: .pause, why: "incident", selection: DeploymentSelection(names: names))
            )
            let entries = try await server.client.audit(AuditFilter(limit: 10))
            #expect(entries.map(\.stage) == ["asked", "answered", "answered"])
            #expect(entries.map(\.deployment) == [nil, "search/file-type", "default/embedder"])
            #expect(entries[0].parameters["names"] == "search/file-type,default/embedder")
            #expect(Set(entries.map(\.request)).count == 1)
            let one = try await server.client.audit(AuditFilter(limit: 10, deployment: "default/embedder"))
            #expect(one.map(\.number) == [3])
        }
    }

    @Test
    func `labels are counted, and freezes told`() async throws {
        try await AuditedServer().serving { server in
            let name = "3f2a91c0de.5d01e8b7.6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90"
            let id = try #require(FeedbackID(name))
            let label = [FeedbackLabel(id: id, isCorrect: true)]
            _ = try await server.client.feedback(label, on: Self.id)
            let freeze = FreezeRequest(
                why: "holidays",
                until: Date(timeIntervalSince1970: 4_000_000_000),
                selection: DeploymentSelection(namespace: "search")
            )
            #expect(try await server.client.freeze(freeze).accepted)
            #expect(try await server.client.unfreeze(1, by: "alice", why: "over").message.contains("sudo: alice"))
            let entries = try await server.client.audit(AuditFilter(limit: 10))
            #expect(entries.map(\.action) == ["feedback", "freeze", "freeze", "unfreeze", "unfreeze"])
            #expect(entries[0].parameters == ["labels": "1", "counted": "1"])
            #expect(entries[2].parameters == ["namespace": "search", "until": "2096-10-02T07:06:40.000Z"])
            #expect(entries[4].why == "over")
            #expect(entries[4].parameters == ["freeze": "1"])
        }
    }

    @Test
    func `an audit that cannot be written delays no rollback, pause or abort, and refuses the rest`() async throws {
        let server = try AuditedServer()
        try server.damage()
        try await server.serving { server in
            for verb in [OperatorRequest.Verb.rollback, .pause, .abort] {
                #expect(try await server.client.command(Self.id, OperatorRequest(verb: verb)).accepted)
            }
            for verb in [OperatorRequest.Verb.promote, .resume, .retry, .prune] {
                let error = await #expect(throws: ControllerClientError.self) {
                    try await server.client.command(Self.id, OperatorRequest(verb: verb))
                }
                #expect(error?.message.contains("\(verb.rawValue) was not done, as it cannot be audited") == true)
            }
            #expect(server.seen.entries.withLock { $0.count } == 3)
            #expect(server.trail.account.problem?.contains("audit.sqlite is damaged") == true)
            try FileManager.default.removeItem(atPath: server.path)
            while server.trail.account.unwritten > 0 { try await Task.sleep(for: .milliseconds(10)) }
            let entries = try await server.client.audit(AuditFilter(limit: 100))
            #expect(
                entries.filter { $0.stage == "answered" }.map(\.action) == [
                    "rollback", "pause", "abort", "promote", "resume", "retry", "prune",
                ]
            )
            #expect(entries.allSatisfy { $0.written != nil })
            #expect(entries.filter { $0.accepted == false }.count == 4)
            #expect(try await server.client.checkAudit(after: nil, expecting: nil).finding == nil)
        }
    }

    @Test
    func `whoever floods the door fills no file`() async throws {
        try await AuditedServer().serving { server in
            let desk = AuditDesk(trail: server.trail, deployment: { _ in nil })
            let stranger = Caller(name: "nobody", way: .token, address: "192.0.2.66")
            for _ in 0..<10_000 { desk.refuse(stranger, action: "unauthenticated", what: "GET /", why: "no token") }
            while server.trail.account.unwritten > 0 { try await Task.sleep(for: .milliseconds(10)) }
            let entries = try await server.client.audit(AuditFilter(limit: 1000))
            // Two minutes may have a part in it.
            #expect((60...120).contains(entries.count))
            #expect(entries.allSatisfy { $0.action == "unauthenticated" && $0.accepted == false })
            #expect(entries.first?.address == "192.0.2.66")
        }
    }

    @Test
    func `tokens are audited when they are made and when they are revoked, without their secrets`() async throws {
        try await AuditedServer().serving { server in
            let grant = Grant(verbs: [.pause, .rollback], namespaces: ["search"])
            let made = try await server.client.create(TokenRequest(name: "on-call", grants: [grant], lifetime: 600))
            _ = try await server.client.revoke(token: made.status.id)
            await #expect(throws: ControllerClientError.self) { try await server.client.revoke(token: "none") }
            let entries = try await server.client.audit(AuditFilter(limit: 10)).filter { $0.stage == "answered" }
            #expect(entries.map(\.action) == ["create-token", "revoke-token", "revoke-token"])
            #expect(entries.map(\.accepted) == [true, true, false])
            #expect(entries[0].parameters["grants"] == "pause and rollback in search")
            #expect(entries[1].message == "on-call's token was revoked")
            let secret = try #require(made.token.split(separator: "_").last)
            #expect(!"\(entries)".contains(secret))
        }
    }

    @Test
    func `the chain is checked part by part, and its head told`() async throws {
        try await AuditedServer().serving { server in
            for _ in 0..<3 { _ = try await server.client.command(Self.id, OperatorRequest(verb: .pause)) }
            let head = try await server.client.auditHead()
            let status = try await server.client.checkAudit(after: nil, expecting: head.head)
            #expect(status.count == 6)
            #expect(status.isComplete)
            #expect(status.head == head.head)
            #expect(status.finding == nil)
            let other = "6:" + String(repeating: "0", count: 64)
            #expect(try await server.client.checkAudit(after: nil, expecting: other).finding?.kind == "unexpected")
            for bad in ["x", "6", "6:00"] {
                await #expect(throws: ControllerClientError.self) {
                    try await server.client.checkAudit(after: bad, expecting: nil)
                }
            }
        }
    }

    @Test
    func `a freeze must say whom and why`() throws {
        let until = Date(timeIntervalSince1970: 4_000_000_000)
        let all = DeploymentSelection(all: true)
        #expect(FreezeRequest(why: "a", until: until, selection: all).problem == nil)
        #expect(FreezeRequest(why: " ", until: until, selection: all).problem != nil)
        #expect(FreezeRequest(why: "a", until: until, selection: DeploymentSelection()).problem != nil)
        let names = DeploymentSelection(names: ["search/file-type"])
        #expect(FreezeRequest(why: "a", until: until, selection: names).problem != nil)
        let long = String(repeating: "a", count: 1001)
        #expect(FreezeRequest(why: long, until: until, selection: all).problem != nil)
    }
}

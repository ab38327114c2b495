import ControllerAPI
import Crypto
import Deployments
import Foundation
import NIOCore
import Synchronization
import Testing
import Transport

@testable import ControllerServer

@Suite("Commands that are sent again")
struct IdempotencyTests {
    let fixture: LiveFixture
    private static let path = "/api/v1/deployments/search/file-type/commands"

    init() throws {
        self.fixture = try LiveFixture()
    }

    private func send(_ body: String, key: String?, _ path: String = Self.path) async throws -> HTTPResponse {
        try await self.fixture.send("POST", path, body, headers: key.map { ["Idempotency-Key": $0] } ?? [:])
    }

    private var carriedOut: Int { self.fixture.commands.withLock { $0.count } }

    @Test
    func `the same command with the same key is answered as before, and not carried out again`() async throws {
        try await self.fixture.serving { _ in
            let body = #"{"verb": "promote"}"#
            let first = try await self.send(body, key: "k-1")
            #expect(first.text.contains("command 1"))
            #expect(first.headers["Idempotency-Replayed"] == nil)
            let second = try await self.send(body, key: "k-1")
            #expect(second.text == first.text)
            #expect(second.headers["Idempotency-Replayed"] == "true")
            #expect(self.carriedOut == 1)
            #expect(try await self.send(body, key: "k-2").text.contains("command 2"))
            #expect(try await self.send(body, key: nil).text.contains("command 3"))
            #expect(try await self.send(body, key: nil).text.contains("command 4"))
        }
    }

    @Test
    func `a key that was used for something else is refused`() async throws {
        try await self.fixture.serving { _ in
            _ = try await self.send(#"{"verb": "promote"}"#, key: "k")
            let other = try await self.send(#"{"verb": "abort"}"#, key: "k")
            #expect(other.status == 422)
            let elsewhere = try await self.send(
                #"{"verb": "promote"}"#,
                key: "k",
                "/api/v1/deployments/default/embedder/commands"
            )
            #expect(elsewhere.status == 422)
            #expect(self.carriedOut == 1)
        }
    }

    @Test
    func `while the first is carried out, the second is asked to wait`() async throws {
        try await self.fixture.serving { _ in
            let (gate, open) = AsyncStream.makeStream(of: Void.self)
            self.fixture.hold.withLock { $0 = { for await _ in gate {} } }
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                group.addTask { try await self.send(#"{"verb": "promote"}"#, key: "k") }
                try await eventually("the first is there") { self.carriedOut == 1 }
                let second = try await self.send(#"{"verb": "promote"}"#, key: "k")
                #expect(second.status == 409)
                #expect(second.headers["Retry-After"] == "1")
                open.finish()
                #expect(try await group.next()?.status == 200)
            }
            #expect(try await self.send(#"{"verb": "promote"}"#, key: "k").status == 200)
            #expect(self.carriedOut == 1)
        }
    }

    @Test
    func `what was refused before it was carried out may be sent again, put right`() async throws {
        try await self.fixture.serving { _ in
            let wrong = try await self.send(#"{"verb": "explode"}"#, key: "k")
            #expect(wrong.status == 400)
            let right = try await self.send(#"{"verb": "promote"}"#, key: "k")
            #expect(right.status == 200)
        }
    }

    @Test(arguments: ["", "a b", "schlüssel", String(repeating: "k", count: 256)])
    func `a key that is none is refused`(key: String) async throws {
        try await self.fixture.serving { _ in
            let response = try await self.send(#"{"verb": "promote"}"#, key: key)
            // An empty field is sent by no client of curl's; the others name what is wrong.
            if key.isEmpty, response.status == 200 { return }
            #expect(response.status == 400)
            #expect(self.carriedOut == 0)
        }
    }

    // MARK: - The store

    private static func digest(_ text: String) -> SHA256.Digest { SHA256.hash(data: Data(text.utf8)) }

    private static func key(_ name: String, _ caller: String = "root") -> IdempotencyStore.Key {
        IdempotencyStore.Key(caller: caller, name: name)
    }

    private static func text(_ beginning: IdempotencyStore.Beginning) -> String {
        switch beginning {
        case .fresh: "fresh"
        case .running: "running"
        case .other: "other"
        case .answered(let answer): String(buffer: answer)
        }
    }

    @Test
    func `keys are each caller's own`() {
        let store = IdempotencyStore()
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "fresh")
        #expect(Self.text(store.begin(Self.key("k", "token"), Self.digest("b"))) == "fresh")
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "running")
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("b"))) == "other")
        store.finish(Self.key("k"), with: ByteBuffer(string: "done"))
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "done")
        store.abandon(Self.key("k", "token"))
        #expect(Self.text(store.begin(Self.key("k", "token"), Self.digest("c"))) == "fresh")
    }

    @Test
    func `answers are kept for a day`() {
        let start = ContinuousClock.now
        let passed = Mutex(Duration.zero)
        let store = IdempotencyStore(now: { start + passed.withLock { $0 } })
        _ = store.begin(Self.key("k"), Self.digest("a"))
        passed.withLock { $0 = .hours(30) }
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "running", "however long it takes")
        store.finish(Self.key("k"), with: ByteBuffer(string: "done"))
        passed.withLock { $0 = .hours(53) }
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "done")
        passed.withLock { $0 = .hours(54) }
        #expect(Self.text(store.begin(Self.key("k"), Self.digest("a"))) == "fresh")
    }

    @Test(arguments: [(3, 1000), (1000, 12)])
    func `the oldest are forgotten when there are too many, or they are too large`(count: Int, bytes: Int) {
        var limits = IdempotencyStore.Limits()
        (limits.count, limits.bytes) = (count, bytes)
        let store = IdempotencyStore(limits: limits)
        for number in 0..<50 {
            _ = store.begin(Self.key("\(number)"), Self.digest("a"))
            store.finish(Self.key("\(number)"), with: ByteBuffer(string: "done"))
        }
        let kept = (0..<50).reversed().prefix { Self.text(store.begin(Self.key("\($0)"), Self.digest("a"))) == "done" }
        #expect(kept.count == 3)
    }
}

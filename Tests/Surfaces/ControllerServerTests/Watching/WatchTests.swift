import ControllerAPI
import Deployments
import Foundation
import Synchronization
import Testing
import Transport

@testable import ControllerServer

@Suite("Watching over a real unix socket")
struct WatchTests {
    let fixture: LiveFixture

    init() throws {
        self.fixture = try LiveFixture()
    }

    private func watch(_ query: String = "", after place: String? = nil) throws -> EventStream {
        try EventStream(
            self.fixture.socket,
            "/api/v1/watch\(query)",
            headers: place.map { ["Last-Event-ID": $0] } ?? [:]
        )
    }

    @Test
    func `whoever watches is told what there is, and then what changes, goes and happens`() async throws {
        try await self.fixture.serving { _ in
            let stream = try self.watch()
            #expect(try await stream.open() == 200)
            #expect(stream.head.contains("text/event-stream"))
            _ = try await stream.mark()
            self.fixture.put(LiveFixture.status("file-type", phase: "stepping", message: "25 %"))
            let change = try #require(try await stream.messages(until: "deployment").last)
            let summary = try APICoding.decoder().decode(DeploymentSummary.self, from: Data(change.data.utf8))
            #expect(summary.phase == "stepping")
            #expect(summary.message == "25 %")
            self.fixture.happen("promoted", to: "search/file-type")
            let happening = try #require(try await stream.messages(until: "transition").last)
            let event = try APICoding.decoder().decode(EventStatus.self, from: Data(happening.data.utf8))
            #expect(event.id == 1)
            #expect(event.kind == "promoted")
            self.fixture.fleet.withLock { $0.deployments.removeAll { $0.name == "embedder" } }
            let removal = try #require(try await stream.messages(until: "removed").last)
            #expect(removal.data == #"{"name":"embedder","namespace":"default"}"#)
        }
    }

    @Test
    func `a list begins with a reset that says how long it is`() async throws {
        try await self.fixture.serving { _ in
            let stream = try self.watch()
            var count = 0
            let messages = try await stream.messages {
                if $0.event == "deployment" { count += 1 }
                return count == 2
            }
            #expect(messages.map(\.event) == ["reset", "deployment", "deployment"])
            #expect(messages.first?.data == #"{"deployments":2}"#)
        }
    }

    @Test(arguments: ["?namespace=default", "?deployment=default/embedder"])
    func `a scope leaves out what does not concern it`(query: String) async throws {
        try await self.fixture.serving { _ in
            let stream = try self.watch(query)
            _ = try await stream.mark()
            self.fixture.happen("promoted", to: "search/file-type")
            self.fixture.put(LiveFixture.status("file-type", phase: "baking"))
            self.fixture.happen("paused", to: "default/embedder")
            self.fixture.put(LiveFixture.status("embedder", in: "default", phase: "baking"))
            var seen: Set<String> = []
            let messages = try await stream.messages {
                seen.insert($0.event)
                return seen.isSuperset(of: ["deployment", "transition"])
            }
            #expect(messages.allSatisfy { $0.data.contains("embedder") && !$0.data.contains("file-type") })
        }
    }

    @Test
    func `nothing that happened is missed over a reconnection`() async throws {
        try await self.fixture.serving { _ in
            self.fixture.happen("rollout-started", to: "search/file-type")
            let first = try self.watch()
            let place = try await first.mark()
            #expect(place.hasPrefix("1."))
            first.leave()
            for _ in 0..<3 { self.fixture.happen("step-started", to: "search/file-type") }
            let second = try self.watch(after: place)
            let messages = try await second.messages { $0.data.contains(#""id":4"#) }
            let numbers = try messages.filter { $0.event == "transition" }.map {
                try APICoding.decoder().decode(EventStatus.self, from: Data($0.data.utf8)).id
            }
            #expect(numbers == [2, 3, 4])
            #expect(!messages.contains { $0.event == "reset" }, "the same controller knows what was told")
        }
    }

    @Test
    func `nothing that happened is missed over a restart, however much it was`() async throws {
        var place = ""
        try await self.fixture.serving(keepsFolder: true) { _ in
            self.fixture.happen("rollout-started", to: "search/file-type")
            let stream = try self.watch("?namespace=search")
            let read = try await stream.mark()
            self.fixture.commands.withLock { $0.append(OperatorRequest(verb: .pause, why: read)) }
        }
        place = try #require(self.fixture.commands.withLock { $0.first?.why })
        // More than the board keeps and more than is read at once.
        for number in 0..<1500 {
            self.fixture.happen("step-started", to: number % 2 == 0 ? "search/file-type" : "default/embedder")
        }
        try await self.fixture.serving { [place] _ in
            let stream = try self.watch("?namespace=search", after: place)
            let messages = try await stream.messages { $0.data.contains(#""id":1500"#) }
            let numbers = try messages.filter { $0.event == "transition" }.map {
                try APICoding.decoder().decode(EventStatus.self, from: Data($0.data.utf8)).id ?? 0
            }
            #expect(numbers == (2...1500).filter { $0 % 2 == 0 }.map(Int64.init))
            let list = try await stream.messages(until: "deployment")
            #expect(list.map(\.event) == ["reset", "deployment"], "another controller says what there is")
        }
    }

    @Test
    func `open streams end with the server, and keep it from nothing`() async throws {
        // More than the sockets' buffers hold, so that the second one's stream is stuck.
        let long = String(repeating: "x", count: 4096)
        for number in 0..<2000 { self.fixture.put(LiveFixture.status("model-\(number)", in: "many", message: long)) }
        let fixture = self.fixture
        try await withThrowingTaskGroup(of: [EventStream.Message].self) { group in
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            let (served, serve) = AsyncStream.makeStream(of: Void.self)
            group.addTask {
                // However this goes.
                defer { open.finish() }
                for await _ in served {}
                let stream = try EventStream(fixture.socket, "/api/v1/watch?namespace=search")
                _ = try await stream.mark()
                let stuck = try EventStream(fixture.socket, "/api/v1/watch?namespace=many")
                _ = try await stuck.open()
                open.finish()
                let messages = try await stream.messages(until: "end")
                try await stuck.readToEnd()
                return messages
            }
            try await fixture.serving { _ in
                serve.finish()
                for await _ in opened {}
            }
            let messages = try #require(try await group.next())
            #expect(messages.last?.data == #"{"reason":"the controller ends"}"#)
        }
    }

    @Test
    func `one who reads nothing is cut off, and another goes on`() async throws {
        let long = String(repeating: "x", count: 4096)
        for number in 0..<2000 { self.fixture.put(LiveFixture.status("model-\(number)", in: "many", message: long)) }
        var limits = LiveFixture.quick
        limits.patience = .seconds(2)
        try await self.fixture.serving(limits) { server in
            let stuck = try self.watch("?namespace=many")
            #expect(try await stuck.open() == 200)
            let other = try self.watch("?namespace=search")
            _ = try await other.mark()
            try await eventually("the stuck one loses its place") { server.routes.watchers.count == 1 }
            self.fixture.put(LiveFixture.status("file-type", phase: "baking"))
            #expect(try await other.messages(until: "deployment").last?.data.contains("baking") == true)
            try await stuck.readToEnd()
            #expect(stuck.received < 2000 * 4096)
        }
    }

    @Test
    func `too many watchers are refused, and commands are not`() async throws {
        var limits = LiveFixture.quick
        limits.watchers = 2
        try await self.fixture.serving(limits) { server in
            let streams = try (0..<2).map { _ in try self.watch() }
            for stream in streams { #expect(try await stream.open() == 200) }
            let third = try await self.fixture.send("GET", "/api/v1/watch")
            #expect(third.status == 503)
            #expect(third.headers["Retry-After"] == "1")
            #expect(try self.fixture.problem(third).detail.contains("as many watchers as it takes (2)"))
            let command = try await self.fixture.send(
                "POST",
                "/api/v1/deployments/search/file-type/commands",
                #"{"verb": "pause"}"#
            )
            #expect(command.status == 200)
            streams[0].leave()
            try await eventually("a place is given back") { server.routes.watchers.count == 1 }
            #expect(try await self.watch().open() == 200)
        }
    }

    @Test
    func `nobody looks at the fleet for nobody`() async throws {
        try await self.fixture.serving { server in
            let stream = try self.watch()
            _ = try await stream.mark()
            let streams = try (0..<20).map { _ in try self.watch() }
            for stream in streams { _ = try await stream.mark() }
            stream.leave()
            for stream in streams { stream.leave() }
            try await eventually("all are gone") { server.routes.watchers.count == 0 }
            // The look in progress ends, and none follows.
            var views = -1
            try await eventually("no more looks") {
                defer { views = self.fixture.views.load(ordering: .relaxed) }
                try await Task.sleep(for: .milliseconds(50))
                return views == self.fixture.views.load(ordering: .relaxed)
            }
        }
    }

    @Test
    func `a silent stream shows signs of life`() async throws {
        var limits = LiveFixture.quick
        limits.beat = .milliseconds(50)
        try await self.fixture.serving(limits) { _ in
            let stream = try self.watch()
            _ = try await stream.mark()
            let before = stream.received
            try await eventually("a comment") {
                _ = try await stream.open()
                return stream.received > before + 20
            }
        }
    }

    @Test(arguments: [
        ("?namespace=default&deployment=search/file-type", 404), ("?namespace=a&namespace=b", 400),
        ("?deployment=file-type", 400),
        ("?deployment=search/file-tpye", 404), ("?after=last", 400), ("?after=-1", 400), ("?after=1.x", 400),
    ])
    func `what cannot be watched is a problem`(query: String, status: Int) async throws {
        try await self.fixture.serving { server in
            let response = try await self.fixture.send("GET", "/api/v1/watch\(query)")
            #expect(response.status == status)
            #expect(try !self.fixture.problem(response).detail.isEmpty)
            #expect(server.routes.watchers.count == 0)
        }
    }
}

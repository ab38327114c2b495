import ControllerAPI
import Deployments
import Foundation
import NIOCore
import Synchronization
import Testing
import Transport

@testable import ControllerServer

@Suite("Reading the fleet over a real unix socket")
struct FleetReadingTests {
    let fixture: LiveFixture

    init() throws {
        self.fixture = try LiveFixture()
    }

    @Test(arguments: ["/api/v1/fleet", "/api/v1/deployments", "/api/v1/deployments/search/file-type"])
    func `who knows the newest answer is told so, until something changes`(path: String) async throws {
        try await self.fixture.serving { _ in
            let first = try await self.fixture.send("GET", path)
            #expect(first.status == 200)
            let tag = try #require(first.headers["ETag"])
            #expect(tag.hasPrefix("W/\""))
            for known in [tag, String(tag.dropFirst(2)), "\"other\", \(tag)", "*"] {
                let again = try await self.fixture.send("GET", path, headers: ["If-None-Match": known])
                #expect(again.status == 304)
                #expect(again.body.isEmpty)
                #expect(again.headers["ETag"] == tag)
            }
            self.fixture.put(LiveFixture.status("file-type", phase: "baking"))
            let changed = try await self.fixture.send("GET", path, headers: ["If-None-Match": tag])
            #expect(changed.status == 200)
            #expect(changed.headers["ETag"] != tag)
            #expect(changed.text.contains("baking"))
        }
    }

    @Test
    func `the fleet is written piece by piece as it would be at once`() async throws {
        for number in 0..<200 {
            self.fixture.put(LiveFixture.status("model-\(number)", in: "a", message: "\"\(number)"))
        }
        let known = SourceStatus(
            repository: "models",
            branch: "main",
            commit: nil,
            lastPolled: nil,
            problem: nil,
            diagnostics: []
        )
        self.fixture.fleet.withLock { $0.sources = [known] }
        try await self.fixture.serving { _ in
            let fleet = self.fixture.fleet.withLock { $0 }
            let answer = try await self.fixture.send("GET", "/api/v1/fleet")
            #expect(Data(answer.body) == (try APICoding.encoder().encode(fleet)))
        }
    }

    private func page(_ query: String) async throws -> DeploymentPage {
        let response = try await self.fixture.send("GET", "/api/v1/deployments\(query)")
        try #require(response.status == 200, "\(response.text)")
        return try APICoding.decoder().decode(DeploymentPage.self, from: Data(response.body))
    }

    private func names(_ page: DeploymentPage) -> [String] { page.deployments.map { "\($0.namespace)/\($0.name)" } }

    @Test
    func `pages follow one another by name, also when what ended one is gone`() async throws {
        for number in 0..<5 { self.fixture.put(LiveFixture.status("m\(number)", in: "many")) }
        try await self.fixture.serving { _ in
            let first = try await self.page("?limit=3")
            #expect(self.names(first) == ["default/embedder", "many/m0", "many/m1"])
            #expect(first.next == "many/m1")
            self.fixture.fleet.withLock { $0.deployments.removeAll { $0.name == "m1" } }
            let second = try await self.page("?limit=3&after=many/m1")
            #expect(self.names(second) == ["many/m2", "many/m3", "many/m4"])
            let third = try await self.page("?limit=3&after=\(second.next ?? "")")
            #expect(self.names(third) == ["search/file-type"])
            #expect(third.next == nil)
            let four = try await self.page("?namespace=many&limit=4")
            #expect(self.names(four).count == 4)
            #expect(four.next == nil, "the last of a namespace is the end")
            let last = try await self.page("?namespace=many&after=many/m3")
            #expect(self.names(last) == ["many/m4"])
            let before = try await self.page("?namespace=default&after=many/m3")
            #expect(before.deployments.isEmpty)
            let nobody = try await self.page("?namespace=man")
            #expect(nobody.deployments.isEmpty)
        }
    }

    @Test
    func `a page has those in a phase and of a health only`() async throws {
        var sick = LiveFixture.status("sick", phase: "stepping")
        sick.health = .degraded
        sick.holds = [HoldStatus(kind: "paused", why: "looking")]
        self.fixture.put(sick)
        try await self.fixture.serving { _ in
            let stepping = try await self.page("?phase=stepping")
            #expect(self.names(stepping) == ["search/sick"])
            let healthy = try await self.page("?health=healthy")
            #expect(self.names(healthy) == ["search/file-type"])
            let degraded = try await self.page("?health=degraded")
            #expect(degraded.deployments.first?.holds == ["paused"])
            let labelled = try await self.page("?selector=team=search")
            #expect(labelled.deployments.isEmpty)
        }
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=x", "after=file-type", "after=", "phase=resting", "health=well",
        "selector=team",
        "selector==b", "selector=", "after=a/b/c", "after=a/%CC%81b", "limit=1&limit=2",
    ])
    func `a filter that means nothing is a problem that names it`(query: String) async throws {
        try await self.fixture.serving { _ in
            let response = try await self.fixture.send("GET", "/api/v1/deployments?\(query)")
            #expect(response.status == 400)
            let name = query.split(separator: "=")[0]
            #expect(try self.fixture.problem(response).detail.hasPrefix("\(name) must be"))
        }
    }

    @Test(arguments: [("PUT", "/api/v1/fleet", "GET"), ("GET", "/api/v1/commands", "POST")])
    func `another method is refused, and the right ones named`(method: String, path: String, allowed: String)
        async throws
    {
        try await self.fixture.serving { _ in
            let response = try await self.fixture.send(method, path)
            #expect(response.status == 405)
            #expect(response.headers["Allow"] == allowed)
            #expect(response.headers["Content-Type"] == Problem.mediaType)
        }
    }
}

@Suite("Answers that many read")
struct AnswerShelfTests {
    private final class Counter: Sendable {
        private let number = Atomic(0)

        var value: Int { self.number.load(ordering: .sequentiallyConsistent) }

        @discardableResult
        func count() -> Int { self.number.add(1, ordering: .sequentiallyConsistent).newValue }
    }

    @Test
    func `an answer is made once for all who ask meanwhile and later`() async throws {
        let shelf = AnswerShelf(version: 1, limit: 1000)
        let made = Counter()
        let asked = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    asked.count()
                    return try await shelf.answer("a") {
                        made.count()
                        for await _ in gate {}
                        return ByteBuffer(string: "answer")
                    }
                }
            }
            try await eventually("all ask") { asked.value == 20 }
            open.finish()
            for try await answer in group { #expect(answer == ByteBuffer(string: "answer")) }
        }
        #expect(made.value == 1)
    }

    @Test
    func `one that fails fails for who made it, and another tries`() async throws {
        let shelf = AnswerShelf(version: 1, limit: 1000)
        let made = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let answers = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let answer = try? await shelf.answer("a") {
                        let number = made.count()
                        for await _ in gate {}
                        if number == 1 { throw CancellationError() }
                        return ByteBuffer(string: "answer \(number)")
                    }
                    return answer.map { String(buffer: $0) }
                }
            }
            open.finish()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count { $0 == nil } == 1)
        #expect(Set(answers.compactMap(\.self)) == ["answer 2"])
    }

    @Test
    func `what is too large is answered and not kept`() async throws {
        let shelf = AnswerShelf(version: 1, limit: 10)
        let made = Counter()
        for text in ["123456", "another", "another"] {
            let answer = try await shelf.answer(text) {
                made.count()
                return ByteBuffer(string: text)
            }
            #expect(String(buffer: answer) == text)
        }
        #expect(made.value == 3)
        _ = try await shelf.answer("123456") { ByteBuffer(string: "made again") }
        #expect(made.value == 3)
    }
}

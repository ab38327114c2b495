import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Testing
import Transport

@Suite("The API over a real unix socket")
struct APIServerTests {
    let fixture: ServerFixture
    let fileType = DeploymentID(namespace: "search", name: "file-type")

    init() throws {
        self.fixture = try ServerFixture()
    }

    @Test
    func `the fleet arrives as the engine gave it`() async throws {
        try await self.fixture.serving { client in
            let fleet = try await client.fleet()
            #expect(fleet == self.fixture.fleet)
            let status = try await client.deployment(self.fileType)
            #expect(status == self.fixture.fleet.deployments[0])
        }
    }

    @Test
    func `history is limited by the request`() async throws {
        try await self.fixture.serving { client in
            let events = try await client.history(self.fileType, limit: 2)
            #expect(events.map(\.message) == ["event 0 of 2", "event 1 of 2"])
            await #expect(throws: ControllerClientError.self) { try await client.history(self.fileType, limit: 0) }
            await #expect(throws: ControllerClientError.self) { try await client.history(self.fileType, limit: 1001) }
        }
    }

    @Test
    func `decisions come chapter by chapter, until there is none`() async throws {
        try await self.fixture.serving { client in
            let first = try await client.decisions(after: 0, of: nil)
            #expect(first.map { String(decoding: $0, as: UTF8.self) } == "chapter after 0 of all\n")
            let own = try await client.decisions(after: 6, of: self.fileType)
            #expect(own.map { String(decoding: $0, as: UTF8.self) } == "chapter after 6 of search/file-type\n")
            #expect(try await client.decisions(after: 7, of: nil) == nil)
            await #expect(throws: ControllerClientError.self) { try await client.decisions(after: -1, of: nil) }
            let unreadable = DeploymentID(namespace: "default", name: "embedder")
            let error = await #expect(throws: ControllerClientError.self) {
                try await client.decisions(after: 0, of: unreadable)
            }
            #expect(error?.message.contains("cannot be read from the journal") == true)
        }
    }

    @Test
    func `a journal that cannot be read is an error, not an empty history`() async throws {
        try await self.fixture.serving { client in
            let error = await #expect(throws: ControllerClientError.self) {
                try await client.history(DeploymentID(namespace: "default", name: "embedder"))
            }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("cannot be read from the journal") == true)
        }
    }

    @Test
    func `a command is carried out in the name of the socket's peer`() async throws {
        let me = try #require(Self.userName())
        try await self.fixture.serving { client in
            let request = OperatorRequest(
                verb: .pause,
                by: me,
                why: "looking at latency",
                until: Date(timeIntervalSince1970: 1e9)
            )
            let answer = try await client.command(self.fileType, request)
            #expect(answer == OperatorAnswer(accepted: true, changed: true, message: "pause of search/file-type"))
            let (id, received) = try #require(self.fixture.recorded.first)
            #expect(id == self.fileType)
            #expect(received == request)
        }
    }

    @Test(arguments: [("mallory", " (sudo: mallory)"), ("mallory\u{1b}[2J", ""), ("", "")])
    func `what the client says about who asks is kept apart or dropped`(claim: String, suffix: String) async throws {
        let me = try #require(Self.userName())
        try await self.fixture.serving { client in
            _ = try await client.command(self.fileType, OperatorRequest(verb: .resume, by: claim))
            #expect(self.fixture.recorded.map(\.1.by) == [me + suffix])
        }
    }

    @Test
    func `an unknown deployment is answered with what was meant`() async throws {
        try await self.fixture.serving { client in
            let misspelt = DeploymentID(namespace: "search", name: "file-tpye")
            let error = await #expect(throws: ControllerClientError.self) { try await client.deployment(misspelt) }
            #expect(error?.code == .notFound)
            #expect(error?.message.contains("did you mean search/file-type?") == true)
            await #expect(throws: ControllerClientError.self) {
                try await client.command(misspelt, OperatorRequest(verb: .abort))
            }
            await #expect(throws: ControllerClientError.self) { try await client.history(misspelt) }
            #expect(self.fixture.recorded.isEmpty)
        }
    }

    @Test
    func `a body beyond the limit is refused and carried out by nobody`() async throws {
        try await self.fixture.serving { client in
            let request = OperatorRequest(verb: .pause, why: String(repeating: "x", count: 70 * 1024))
            let error = await #expect(throws: ControllerClientError.self) {
                try await client.command(self.fileType, request)
            }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("at most 64 KiB") == true)
            #expect(self.fixture.recorded.isEmpty)
        }
    }

    @Test(arguments: [
        ("POST", "/api/v1/deployments/search/file-type/commands", #"{"verb": "explode"}"#, 400),
        ("POST", "/api/v1/deployments/search/file-type/commands", "not JSON", 400),
        ("POST", "/api/v1/commands", #"{"verb": "pause"}"#, 400),
        ("POST", "/api/v1/commands", #"{"verb": "pause", "selection": {}}"#, 400),
        ("POST", "/api/v1/commands", #"{"verb": "rollback", "selection": {"all": true}}"#, 400),
        ("GET", "/api/v1/events?limit=1001", "", 400), ("GET", "/api/v1/events?after=-1", "", 400),
        ("GET", "/api/v1/events?after=last", "", 400), ("GET", "/api/v1/nothing", "", 404),
        ("GET", "/api/v1/deployments/search/file-type/history?limit=many", "", 400),
    ])
    func `every error is problem+json`(method: String, path: String, body: String, status: Int) async throws {
        try await self.fixture.serving { _ in
            let response = try await self.send(method, path, body)
            #expect(response.status == status)
            #expect(response.headers["Content-Type"] == Problem.mediaType)
            let problem = try APICoding.decoder().decode(Problem.self, from: Data(response.body))
            #expect(problem.status == status)
            #expect(!problem.detail.isEmpty)
        }
    }

    @Test
    func `a command written by hand needs only its verb`() async throws {
        try await self.fixture.serving { _ in
            let path = "/api/v1/deployments/search/file-type/commands"
            let response = try await self.send("POST", path, #"{"verb": "promote"}"#)
            #expect(response.status == 200)
            #expect(self.fixture.recorded.map(\.1.verb) == [.promote])
        }
    }

    private static let id = "3f2a91c0de.5d01e8b7.6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90"
    private static let feedback = "/api/v1/deployments/search/file-type/feedback"

    @Test
    func `labels are told one by one or as a list`() async throws {
        try await self.fixture.serving { client in
            let id = try #require(FeedbackID(Self.id))
            let labels = [FeedbackLabel(id: id, isCorrect: false), FeedbackLabel(id: id, isCorrect: true, value: 0.5)]
            #expect(try await client.feedback(labels, on: self.fileType) == FeedbackAnswer(counted: 2))
            #expect(self.fixture.labels == labels)
            let one = try await self.send("POST", Self.feedback, "{\"id\": \"\(Self.id)\", \"value\": 1}")
            #expect(one.status == 200)
            #expect(one.text == #"{"counted":1,"repeated":0,"unknown":0,"unknownRevisions":[]}"#)
            #expect(self.fixture.labels.last == FeedbackLabel(id: id, value: 1))
        }
    }

    @Test(arguments: [
        ("[{ID, \"correct\": true}, {ID, \"corect\": true}]", "label 2: unknown field \"corect\"; did you mean"),
        ("[{\"correct\": true}]", "label 1: `id` is missing"),
        ("[{\"id\": \"mine\", \"correct\": true}]", "label 1: `id` is not what x-feedback-id says"),
        ("{\"id\": 7, \"correct\": true}", "`id` must be the text of an answer's x-feedback-id"),
        ("[{ID}]", "label 1: it says nothing: add `correct`"),
        ("[{ID, \"correct\": 1}]", "label 1: `correct` must be true or false"),
        ("[{ID, \"value\": 1.5}]", "label 1: `value` must be a number from 0 to 1"),
        ("[{ID, \"value\": \"0.5\"}]", "label 1: `value` must be a number from 0 to 1"),
        ("[7]", "label 1: it must be an object with `id`"), ("nonsense", "the body is not a list of labels"),
        ("7", "the body is not a list of labels"), ("", "the body is not a list of labels"),
    ])
    func `a label that is none is named, and then nothing is counted`(body: String, message: String) async throws {
        try await self.fixture.serving { _ in
            let text = body.replacing("ID", with: "\"id\": \"\(Self.id)\"")
            let response = try await self.send("POST", Self.feedback, text)
            #expect(response.status == 400)
            let problem = try APICoding.decoder().decode(Problem.self, from: Data(response.body))
            #expect(problem.detail.hasPrefix(message), "\(problem.detail)")
            #expect(problem.detail.hasSuffix("nothing was counted"))
            #expect(self.fixture.labels.isEmpty)
        }
    }

    @Test
    func `more than a thousand labels, or bytes without end, are refused`() async throws {
        try await self.fixture.serving { client in
            let id = try #require(FeedbackID(Self.id))
            let labels = Array(
                repeating: FeedbackLabel(id: id, isCorrect: true, value: 0.123_456_789_012_345),
                count: 1001
            )
            let error = await #expect(throws: ControllerClientError.self) {
                try await client.feedback(labels, on: self.fileType)
            }
            #expect(error?.message.contains("more than 1000 labels") == true)
            let longest =
                FeedbackID.prefix(Revision(digest: "3f2a91c0de"), id.split) + String(repeating: "a", count: 108)
            let long = Array(
                repeating: FeedbackLabel(
                    id: try #require(FeedbackID(longest)),
                    isCorrect: false,
                    value: 0.123_456_789_012_345
                ),
                count: 1000
            )
            #expect(try await client.feedback(long, on: self.fileType).counted == 1000, "the longest thousand fits")
            let huge = try await self.send("POST", Self.feedback, "[" + String(repeating: " ", count: 260 * 1024))
            #expect(huge.status == 413)
            let misspelt = DeploymentID(namespace: "search", name: "file-tpye")
            let unknown = await #expect(throws: ControllerClientError.self) {
                try await client.feedback([labels[0]], on: misspelt)
            }
            #expect(unknown?.code == .notFound)
            #expect(self.fixture.labels.count == 1000)
        }
    }

    @Test
    func `health is a plain ok`() async throws {
        try await self.fixture.serving { _ in
            let response = try await self.send("GET", "/healthz", "")
            #expect(response.status == 200)
            #expect(response.text == "ok\n")
        }
    }

    @Test
    func `without a controller the client says how to get one`() async throws {
        defer { self.fixture.remove() }
        let error = await #expect(throws: ControllerClientError.self) { try await self.fixture.client.fleet() }
        #expect(error?.code == .unreachable)
        #expect(
            error?.message
                == "no controller listens on \(self.fixture.socket): start it with `controller run`, or name its "
                + "socket with --socket or CONTROLLER_SOCKET"
        )
    }

    private func send(_ method: String, _ path: String, _ body: String) async throws -> HTTPResponse {
        try await HTTPClient().send(
            HTTPRequest(
                method: method,
                url: "http://controller\(path)",
                body: body.isEmpty ? nil : Array(body.utf8),
                unixSocket: self.fixture.socket,
                timeout: .seconds(300)
            )
        )
    }

    private static func userName() -> String? {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
    }
}

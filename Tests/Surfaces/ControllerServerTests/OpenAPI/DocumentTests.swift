import ControllerAPI
import Deployments
import Foundation
import Testing
import Transport

@testable import ControllerServer

@Suite("The OpenAPI document")
struct DocumentTests {
    private let fixture: LiveFixture

    init() throws {
        self.fixture = try LiveFixture()
    }

    private var routes: APIRoutes { self.fixture.server().routes }

    @Test
    func `it describes each route, and no other`() throws {
        defer { self.fixture.base.remove() }
        let operations = self.routes.table.map(\.operation)
        let document = try self.document()
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let described = paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } }
        #expect(described.sorted() == operations.map { "\($0.method.rawValue) \($0.path)" }.sorted())
        #expect(Set(operations.map(\.name)).count == operations.count, "operations have names of their own")
        for operation in operations {
            let names = operation.path.split(separator: "/").filter { $0.first == "{" }.map {
                $0.dropFirst().dropLast()
            }
            let parameters = operation.parameters.filter { $0.place == .path }.map(\.name)
            #expect(names.map(String.init) == parameters, "\(operation.path)")
        }
    }

    @Test
    func `each path that it describes is answered by the server`() async throws {
        try await self.fixture.serving { server in
            for operation in server.routes.table.map(\.operation) where operation.name != "watch" {
                let path = operation.path.replacing("{namespace}", with: "search")
                    .replacing("{name}", with: "file-type").replacing("{replica}", with: "none")
                    .replacing("{id}", with: "none")
                    .replacing("{receiver}", with: "none")
                let response = try await self.fixture.send(operation.method.rawValue.uppercased(), path)
                let statuses = operation.answers.map(\.status) + operation.problems + [403]
                #expect(statuses.contains(response.status), "\(operation.name): \(response.status)")
                if response.status >= 400 {
                    #expect(try self.fixture.problem(response).title != "Unknown request", "\(operation.name)")
                }
            }
        }
    }

    @Test
    func `it is served`() async throws {
        try await self.fixture.serving { _ in
            let response = try await self.fixture.send("GET", "/api/v1/openapi.json")
            #expect(response.headers["Content-Type"] == "application/json")
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
            )
            #expect(document["openapi"] as? String == "3.1.0")
        }
    }

    @Test
    func `every schema that is named is there, and every one that is there is used`() throws {
        defer { self.fixture.base.remove() }
        let text = try self.text()
        let used = Set(text.matches(of: /"#\/components\/schemas\/([A-Za-z]+)"/).map { String($0.1) })
        #expect(used == Set(APIDocument.schemas.map(\.name) + ["Feedback", "StreamEvent"]))
    }

    /// All types that the API writes or reads, with everything in them.
    static let samples: [(String, any Sendable)] = {
        let time = Date(timeIntervalSince1970: 0)
        let status = LiveFixture.status("a")
        let commit = CommitStatus(repository: "", branch: "", commit: "", subject: "", author: "")
        let piece = TrafficStatus.Piece(requests: 0, bad: 0)
        return [
            ("FleetStatus", FleetStatus(time: time, deployments: [], sources: [])),
            ("DeploymentStatus", status), ("DeploymentSummary", DeploymentSummary(status)),
            ("RevisionSummary", DeploymentSummary.Revision(revision: "", modelName: "", modelVersion: "")),
            ("DeploymentPage", DeploymentPage(time: time, deployments: [])),
            (
                "SourceStatus",
                SourceStatus(
                    repository: "",
                    branch: "",
                    commit: nil,
                    lastPolled: nil,
                    problem: nil,
                    diagnostics: []
                )
            ),
            ("WebhookStatus", WebhookStatus()),
            ("ReceiverStatus", ReceiverStatus(name: "", waiting: 0, delivered: 0, refused: 0, leftOut: 0)),
            ("ModelUpdateStatus", ModelUpdateStatus(message: "", since: time, isProblem: false)),
            (
                "RevisionStatus",
                RevisionStatus(
                    revision: "",
                    modelName: "",
                    modelVersion: "",
                    commit: commit,
                    weight: nil,
                    replicas: [],
                    wantedReplicas: 0,
                    artifact: ""
                )
            ),
            ("ReplicaStatus", ReplicaStatus(name: "", state: "", endpoint: nil, restarts: 0, lastFailure: nil)),
            ("CommitStatus", commit), ("StepStatus", StepStatus(title: "", state: .done)),
            ("GateStatus", GateStatus(name: "", outcome: "", value: "", limit: "")),
            ("SignOffStatus", SignOffStatus(place: "", since: time, model: "", needsApproval: false)),
            ("PlanStatus", PlanStatus(deployment: "", time: time, phase: "")),
            (
                "PlannedRevision",
                PlannedRevision(
                    revision: "",
                    model: "",
                    wantedReplicas: 0,
                    readyReplicas: 0,
                    replicas: 0,
                    wantedWeight: 0,
                    weight: nil
                )
            ),
            ("PlannedEffect", PlannedEffect(.start, what: "")),
            ("NextStatus", NextStatus(what: "")), ("PinStatus", PinStatus(revision: "", by: "")),
            ("HoldStatus", HoldStatus(kind: "", why: "")),
            (
                "QuarantineStatus",
                QuarantineStatus(revision: "", modelVersion: "", commit: commit, reason: "", since: time)
            ),
            ("EventStatus", EventStatus(time: time, deployment: "", kind: "", message: "", by: nil, commit: nil)),
            (
                "AutoscalingStatus",
                AutoscalingStatus(minReplicas: 0, maxReplicas: 0, targetConcurrency: 0, replicas: 0)
            ),
            ("OperatorAnswer", OperatorAnswer(accepted: true, changed: true, message: "")),
            ("BatchAnswer", BatchAnswer(answers: [])),
            (
                "BatchEntry",
                BatchAnswer.Entry(deployment: "", OperatorAnswer(accepted: true, changed: true, message: ""))
            ),
            ("ModelAnswer", ModelAnswer(accepted: true, changed: true, message: "")),
            ("FeedbackAnswer", FeedbackAnswer()),
            ("LogStatus", LogStatus(replica: "", size: 0, modified: time, isCurrent: true)),
            ("LogPiece", LogPiece(replica: "", offset: 0, next: 0, text: "")),
            ("TrafficStatus", TrafficStatus(deployment: "", revision: "", pieceSeconds: 0, errors: [])),
            ("TrafficLatency", TrafficStatus.Latency(boundMilliseconds: 0, pieces: [])), ("TrafficPiece", piece),
            (
                "SpecStatus",
                SpecStatus(
                    deployment: "",
                    repository: "",
                    branch: "",
                    commit: "",
                    file: "",
                    values: [],
                    problems: []
                )
            ),
            ("SpecValue", SpecStatus.Value(field: "", value: "", origin: "")),
            ("CallerStatus", CallerStatus(caller: Caller(name: "", way: .socket), grants: [])),
            ("Caller", Caller(name: "", way: .socket)), ("Grant", Grant()), ("TokenStatus", Self.token),
            ("TokenAnswer", TokenAnswer(token: "", status: Self.token)),
            ("AuditStatus", Self.entry),
            (
                "AuditCheckStatus",
                AuditCheckStatus(
                    count: 0,
                    oldest: nil,
                    newest: nil,
                    head: "",
                    front: nil,
                    isComplete: true,
                    finding: nil
                )
            ),
            ("AuditFinding", AuditCheckStatus.Finding(kind: "", number: 0, message: "")),
            ("AuditHeadStatus", AuditHeadStatus(head: "", unwritten: 0, problem: nil)),
            (
                "FreezeStatus",
                FreezeStatus(id: 0, namespace: nil, labels: nil, by: "", why: "", since: time, until: time)
            ),
            ("FreezeAnswer", FreezeAnswer(accepted: true, changed: true, message: "")),
            ("SeriesStatus", SeriesStatus(deployment: "", canary: "", stable: nil, pointSeconds: 0)),
            ("SeriesTraffic", SeriesStatus.Traffic(time: time, canary: 0, stable: 0)),
            ("SeriesGate", SeriesStatus.Gate(name: "", counts: "", limit: "")),
            ("SeriesPoint", SeriesStatus.Point(time: time, step: 0, outcome: "")),
            ("SeriesShare", SeriesStatus.Share(value: 0, lower: 0, upper: 0, requests: 0)),
            ("ConfigurationStatus", ConfigurationStatus(file: "", since: time)),
            ("Problem", Problem(status: 400, title: "", detail: "")),
        ]
    }()

    private static let token = TokenStatus(
        id: "",
        name: "",
        grants: [],
        created: .distantPast,
        createdBy: "",
        expires: .distantPast
    )

    private static let entry = AuditStatus(
        number: 0,
        time: .distantPast,
        written: nil,
        stage: "",
        request: nil,
        by: "",
        way: "",
        credential: nil,
        address: nil,
        action: "",
        deployment: nil,
        why: nil,
        parameters: [:],
        accepted: nil,
        changed: nil,
        message: nil,
        before: nil,
        after: nil,
        previous: "",
        hash: ""
    )

    static let requests: [(String, any Sendable)] = [
        ("OperatorRequest", OperatorRequest(verb: .pause)),
        ("BatchRequest", BatchRequest(verb: .pause, selection: DeploymentSelection())),
        ("DeploymentSelection", DeploymentSelection()), ("ModelRequest", ModelRequest(to: "")),
        ("FreezeRequest", FreezeRequest(why: "", until: .distantPast, selection: DeploymentSelection())),
        ("FreezeSelection", DeploymentSelection()), ("ReceiverTest", ReceiverTest()),
        ("TokenRequest", TokenRequest(name: "", grants: [], lifetime: 0)),
    ]

    @Test(arguments: Self.samples.map(\.0))
    func `an answer has the members that the document names, and those it always has`(name: String) throws {
        defer { self.fixture.base.remove() }
        let schema = try #require(APIDocument.schemas.first { $0.name == name })
        let sample = try #require(Self.samples.first { $0.0 == name }?.1)
        let members = Mirror(reflecting: sample).children
        #expect(members.compactMap(\.label).sorted() == schema.properties.map(\.name).sorted())
        for member in members {
            let property = schema.properties.first { $0.name == member.label }
            let isOptional = Mirror(reflecting: member.value).displayStyle == .optional
            #expect(property?.isRequired == !isOptional, "\(member.label ?? "")")
        }
    }

    @Test
    func `a request has the members that the document names`() throws {
        defer { self.fixture.base.remove() }
        for (name, sample) in Self.requests {
            let schema = try #require(APIDocument.schemas.first { $0.name == name })
            let members = Mirror(reflecting: sample).children.compactMap(\.label)
            #expect(members.sorted() == schema.properties.map(\.name).sorted(), "\(name)")
        }
        let label = try #require(APIDocument.schemas.first { $0.name == "FeedbackLabel" })
        #expect(label.properties.map(\.name) == ["id", "correct", "value"])
        let all = Set(Self.samples.map(\.0) + Self.requests.map(\.0) + ["FeedbackLabel"])
        #expect(all == Set(APIDocument.schemas.map(\.name)), "every schema is compared with its type")
    }

    @Test
    func `the reference names every path and parameter`() throws {
        defer { self.fixture.base.remove() }
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/reference/api.md")
        let reference = try String(contentsOf: file, encoding: .utf8)
        for operation in self.routes.table.map(\.operation) {
            let heading = "## \(operation.method.rawValue.uppercased()) \(operation.path)"
            #expect(reference.contains(heading), "\(heading)")
            for parameter in operation.parameters where parameter.place != .path {
                #expect(reference.contains(parameter.name), "\(operation.path): \(parameter.name)")
            }
        }
    }

    private func text() throws -> String {
        let document = APIDocument.document(of: self.routes.table.map(\.operation))
        return String(decoding: try APICoding.encoder().encode(document), as: UTF8.self)
    }

    private func document() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(try self.text().utf8)) as? [String: Any])
    }
}

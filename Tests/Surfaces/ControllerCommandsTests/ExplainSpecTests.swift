import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller get --explain-spec")
struct ExplainSpecTests {
    let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private static func spec(problems: [String] = []) -> SpecStatus {
        SpecStatus(
            deployment: "search/file-type",
            repository: "models",
            branch: "main",
            commit: "1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00",
            file: "prod/a.yaml",
            values: [
                SpecStatus.Value(field: "spec.replicas", value: "3", origin: "prod/defaults.yaml:7"),
                SpecStatus.Value(
                    field: "spec.parameters.text",
                    value: "a\u{1B}[2Jb\n" + "x".repeated(70),
                    origin: "a.yaml:3"
                ),
                SpecStatus.Value(field: "spec.rollout.bakeTime", value: "30m", origin: "default"),
            ],
            problems: problems
        )
    }

    @Test
    func `each value stands beside the place that it comes from`() async throws {
        self.fixture.spec.withLock { $0 = Self.spec() }
        try await self.fixture.serving {
            let run = await self.fixture.run("get", "search/file-type", "--explain-spec")
            #expect(run.status == 0)
            let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(lines.count == 4, "what a manifest holds begins no line: \(run.output)")
            #expect(lines.first == ["FIELD", "VALUE", "FROM"])
            #expect(lines[1] == ["spec.replicas", "3", "prod/defaults.yaml:7"])
            #expect(lines[2].last == "a.yaml:3", "a long value does not hide where it comes from")
            #expect(lines[3] == ["spec.rollout.bakeTime", "30m", "default"])
            #expect(!run.output.contains("\u{1B}"))
            #expect(run.remarks == "search/file-type as models wants it at main@1eabc9a4c0\n")
        }
    }

    @Test
    func `programs get it whole, and problems are told beside the table`() async throws {
        let spec = Self.spec(problems: ["prod/defaults.yaml:7:3: error: spec.replicas: expected a number"])
        self.fixture.spec.withLock { $0 = spec }
        try await self.fixture.serving {
            let json = await self.fixture.run("get", "search/file-type", "--explain-spec", "--output", "json")
            let decoded = try APICoding.decoder().decode(SpecStatus.self, from: Data(json.output.utf8))
            #expect(decoded == spec)
            let yaml = await self.fixture.run("get", "search/file-type", "--explain-spec", "--output", "yaml")
            #expect(
                yaml.output.contains("origin: prod/defaults.yaml:7") || yaml.output.contains("\"prod/defaults.yaml:7\"")
            )
            let table = await self.fixture.run("get", "search/file-type", "--explain-spec")
            #expect(table.remarks.contains(spec.problems[0]))
        }
    }

    @Test
    func `it is about one deployment, whose manifest was read`() async throws {
        for arguments in [[], ["a", "b"], ["a", "--namespace", "search"]] {
            let run = await self.fixture.run(["get", "--explain-spec"] + arguments)
            #expect(run.status == 2, "\(arguments)")
        }
        try await self.fixture.serving {
            let unread = await self.fixture.run("get", "search/file-type", "--explain-spec")
            #expect(unread.status == 1)
            #expect(unread.remarks.contains("was read since the controller started"), "\(unread.remarks)")
            let unknown = await self.fixture.run("get", "search/file-tipe", "--explain-spec")
            #expect(unknown.remarks.contains("search/file-type"), "\(unknown.remarks)")
        }
    }
}

extension String {
    fileprivate func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}

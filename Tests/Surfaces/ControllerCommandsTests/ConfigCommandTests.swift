import ControllerCommands
import Foundation
import Testing

@Suite("controller config")
struct ConfigCommandTests {
    private let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = self.fixture.folder.appending(path: name).path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test
    func `all problems are told with their places and what to write`() async throws {
        let file = try self.write(
            "c.yaml",
            """
            pol: 2s
            repositories:
              - {name: models, url: "https://git.example/m.git", intervall: 5s}

            """
        )
        let run = await self.fixture.run("config", "check", file)
        #expect(run.status == 1)
        #expect(run.output.contains("\(file):1:1: error: pol: unknown field `pol`: did you mean `poll`?"))
        #expect(run.output.contains("\(file):3:54: error: repositories[0].intervall"), "\(run.output)")
        #expect(run.remarks == "\(file): 2 errors, 0 warnings\n")
        let missing = await self.fixture.run("config", "check", "/nonexistent/c.yaml")
        #expect(missing.status == 2)
        #expect(missing.remarks.contains("there is no such file"))
    }

    @Test
    func `what counts is told with where it comes from`() async throws {
        let token = try self.write("token", "hunter2-secret\n")
        let file = try self.write(
            "c.yaml",
            """
            poll: 2s
            repositories:
              - {name: models, url: "https://git.example/m.git", credentials: {tokenFile: "\(token)"}}

            """
        )
        let run = await self.fixture.run(
            "config",
            "check",
            file,
            "--text-only",
            "--output",
            "json",
            environment: ["CONTROLLER_POLL": "500ms", "CONTROLLER_LISTEN": "127.0.0.1:8081"]
        )
        #expect(run.status == 0, "\(run)")
        let report = try JSONDecoder().decode(ConfigurationReport.self, from: Data(run.output.utf8))
        let values = Dictionary(uniqueKeysWithValues: report.values.map { ($0.setting, $0) })
        #expect(values["poll"]?.value == "500ms")
        #expect(values["poll"]?.origin == "CONTROLLER_POLL")
        #expect(values["local.listen"]?.value == "127.0.0.1:8081")
        #expect(values["repositories[0].name"]?.origin == "\(file):3")
        #expect(values["repositories[0].interval"]?.value == "30s")
        #expect(values["repositories[0].interval"]?.origin == "default")
        #expect(values["repositories[0].credentials.tokenFile"]?.value == token)
        #expect(values["journal.keep"]?.value == "30d")
        #expect(values["modelRegistry.timeout"] == nil, "there is none")
        #expect(!run.output.contains("hunter2"), "no secret is read")
    }

    @Test
    func `files that are not there are errors, and secrets that others may read a warning`() async throws {
        let open = try self.write("open", "x", mode: 0o644)
        let file = try self.write(
            "c.yaml",
            """
            repositories:
              - name: models
                url: "https://git.example/m.git"
                credentials: {tokenFile: "\(open)"}
                caFile: /nonexistent/ca.pem

            """
        )
        let run = await self.fixture.run("config", "check", file, environment: ["PATH": "/nonexistent"])
        #expect(run.status == 1)
        #expect(
            run.output.contains("\(file):5:13: error: repositories[0].caFile: `/nonexistent/ca.pem` cannot be read")
        )
        #expect(run.output.contains(":4:30: warning: repositories[0].credentials.tokenFile: others may read"))
        #expect(run.output.contains("error: no program `git` in PATH (/nonexistent): apt install git"), "\(run.output)")
        let text = await self.fixture.run("config", "check", file, "--text-only", environment: ["PATH": "/nonexistent"])
        #expect(text.status == 0, "\(text)")
    }

    @Test
    func `the reference is printed for people and for programs`() async throws {
        let text = await self.fixture.run("config", "reference")
        #expect(text.status == 0)
        #expect(text.output == ConfigurationReference.markdown)
        let json = await self.fixture.run("config", "reference", "--output", "json")
        let rows = try JSONDecoder().decode([ConfigurationReference.Row].self, from: Data(json.output.utf8))
        #expect(rows.contains { $0.settings == ["repositories[].interval"] && $0.standard == "30s" && !$0.isRequired })
    }
}

import ControllerAPI
import ControllerCommands
import Foundation
import Testing

@Suite("Other machines' controllers")
struct RemoteCommandTests {
    private let home = "/tmp/home-\(UUID().uuidString.prefix(8))"

    private var environment: [String: String] { ["XDG_CONFIG_HOME": self.home, "CONTROLLER_SOCKET": ""] }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func removeHome() {
        // There is none where nothing was written.
        try? FileManager.default.removeItem(atPath: self.home)
    }

    @Test
    func `a context keeps its token for its owner's eyes, and is asked when nothing else is named`() async throws {
        let fixture = try CommandFixture()
        defer { self.removeHome() }
        let added = await fixture.run(
            ["context", "add", "production", "--server", "https://127.0.0.1:9/"],
            environment: self.environment,
            typed: ["  ctl_4be1_9f0c  "]
        )
        #expect(added.status == 0, "\(added.remarks)")
        #expect(added.output == "production is https://127.0.0.1:9/, and is asked now\n")
        let token = "\(self.home)/controller/tokens/production"
        #expect(try String(contentsOfFile: token, encoding: .utf8) == "ctl_4be1_9f0c\n")
        #expect(try self.mode(token) == 0o600)
        #expect(try self.mode("\(self.home)/controller") == 0o700)
        #expect(try self.mode("\(self.home)/controller/contexts.json") == 0o600)

        let asked = await fixture.run(["get"], environment: self.environment)
        #expect(asked.status == 3)
        #expect(asked.remarks.contains("127.0.0.1:9"), "\(asked.remarks)")
        #expect(!asked.remarks.contains("9f0c"))

        let back = await fixture.run(["context", "use"], environment: self.environment)
        #expect(back.output == "this machine's controller is asked now\n")
        let list = await fixture.run(["context", "list"], environment: self.environment)
        #expect(list.output == "  production  https://127.0.0.1:9\n")
        let gone = await fixture.run(["context", "remove", "production"], environment: self.environment)
        #expect(gone.status == 0)
        #expect(!FileManager.default.fileExists(atPath: token))
        let none = await fixture.run(["get", "--context", "production"], environment: self.environment)
        #expect(none.status == 2)
        #expect(none.remarks.contains("there is no context production: add one"), "\(none.remarks)")
    }

    @Test
    func `a token that others may read is not used`() async throws {
        let fixture = try CommandFixture()
        defer { self.removeHome() }
        try FileManager.default.createDirectory(atPath: self.home, withIntermediateDirectories: true)
        let path = "\(self.home)/token"
        try Data("ctl_4be1_9f0c\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let run = await fixture.run(
            ["get", "--server", "https://127.0.0.1:9", "--token-file", path],
            environment: self.environment
        )
        #expect(run.status == 2)
        #expect(run.remarks.contains("run `chmod 600 \(path)`"), "\(run.remarks)")
        #expect(!run.remarks.contains("9f0c"))
    }

    @Test(arguments: [
        "http://controller.example:8443", "https://", "controller.example", "ftp://controller.example",
        "https://alice:secret@controller.example", "https://controller.example/path", "file:///etc/passwd",
    ])
    func `an address over which a token could leak, or that is none, is refused`(address: String) async throws {
        let fixture = try CommandFixture()
        let run = await fixture.run(["get", "--server", address], environment: self.environment)
        #expect(run.status == 2, "\(run.remarks)")
        #expect(run.remarks.contains("is no controller's address"), "\(run.remarks)")
    }

    @Test
    func `a token needs a role or verbs, and those that there are`() async throws {
        let fixture = try CommandFixture()
        for (arguments, message) in [
            ([], "Say what it may"), (["--role", "root"], "root is no role: there are viewer, operator and admin"),
            (["--verb", "stop"], "stop is no verb: there are view, pause"),
            (["--role", "viewer", "--for", "9000h"], "a token lives from a minute to 366 days"),
        ] {
            let run = await fixture.run(["token", "create", "ci"] + arguments, environment: self.environment)
            #expect(run.status == 2)
            #expect(run.remarks.contains(message), "\(run.remarks)")
        }
        let named = await fixture.run(["token", "create", "a b", "--role", "viewer"], environment: self.environment)
        #expect(named.remarks.contains("a token's name has 1 to 64 letters"), "\(named.remarks)")
    }

    @Test
    func `two controllers at once are one too many`() async throws {
        let fixture = try CommandFixture()
        let run = await fixture.run(
            ["get", "--server", "https://127.0.0.1:9", "--socket", "/tmp/c.sock"],
            environment: self.environment
        )
        #expect(run.status == 2)
        #expect(run.remarks.contains("each name a controller"), "\(run.remarks)")
    }
}

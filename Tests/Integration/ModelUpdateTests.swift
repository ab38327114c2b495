import ControllerAPI
import FakeMLflow
import Foundation
import Testing
import Transport

/// Models that follow an alias of a real MLflow server.
extension IntegrationTests {
    @Test
    func `an alias that moves becomes a branch, which changes nothing until it is merged`() async throws {
        try await Sandbox.run { sandbox in
            let mlflow = try await MLflowServer(in: sandbox)
            let first = try await mlflow.register("echo", ["MLmodel": "one\n"])
            let second = try await mlflow.register("echo", ["MLmodel": "two\n", "data/m": "2"], isTagged: true)
            try await mlflow.point("champion", of: "echo", to: first)
            let updates = "modelUpdates: [{alias: champion, deployments: [default/*], interval: 1s}]"
            try sandbox.configure(registry: "{url: \"\(mlflow.url)\"}", promotions: "branch", settings: updates)
            try await sandbox.startController()
            let merged = try await sandbox.push(["echo.yaml": Self.manifest(first, sandbox)], "Serve 1")
            try await sandbox.serves("\(first)")
            #expect(await sandbox.status()?.modelUpdate == nil)

            // A dry run shows what the move would bring, and writes nothing.
            try await mlflow.point("champion", of: "echo", to: second)
            let branch = "controller/promote/default/echo/echo-\(second)"
            let shown = try await sandbox.command("promote-model", "echo", "--to", "@champion", "--dry-run")
            #expect(shown.output.contains("+    uri: \"models:/echo/\(second)\""), "\(shown.output)\(shown.error)")
            let text = "branch \(branch) makes default/echo name echo \(second): merge it"
            try await sandbox.wait(for: "the branch") { $0.modelUpdate?.message == text }
            #expect(
                try await sandbox.git("-C", sandbox.remote, "diff", "--name-only", "main..\(branch)")
                    == "deployments/echo.yaml"
            )
            let commit = try await sandbox.git("-C", sandbox.remote, "rev-parse", branch)
            #expect(try await sandbox.git("-C", sandbox.remote, "rev-parse", "\(branch)^") == merged)

            // Nothing that runs changes, and a restart proposes nothing anew.
            let started = try await sandbox.count("rollout-started")
            sandbox.killController()
            try await sandbox.startController()
            try await sandbox.polls(4)
            try await sandbox.serves("\(first)")
            #expect(try await sandbox.count("rollout-started") == started)
            #expect(try await sandbox.git("-C", sandbox.remote, "rev-parse", "main") == merged)
            #expect(try await sandbox.git("-C", sandbox.remote, "rev-parse", branch) == commit)
            #expect(await sandbox.status()?.modelUpdate?.message == text)

            // Merged, it rolls out, with the bytes that the tag pins.
            try await sandbox.git("-C", sandbox.clone, "fetch", "--quiet", sandbox.remote, branch)
            try await sandbox.git("-C", sandbox.clone, "merge", "--quiet", "--ff-only", "FETCH_HEAD")
            try await sandbox.pushHead()
            try await sandbox.serves("\(second)")
            let manifest = try await sandbox.git("-C", sandbox.remote, "show", "main:deployments/echo.yaml")
            #expect(manifest.contains("digest: \"\(try #require(mlflow.digest))\""), "\(manifest)")
            try await sandbox.wait(for: "git to say what the alias does") { $0.modelUpdate == nil }

            // Taken back in git with the alias where it is: that is people's word.
            try await sandbox.push(["echo.yaml": Self.manifest(first, sandbox)], "Back to 1")
            try await sandbox.wait(for: "the first again, and why") {
                $0.stable?.modelVersion == "\(first)" && $0.canary == nil
                    && $0.modelUpdate?.message.contains("was in git and was taken out") == true
            }
            #expect(try await sandbox.git("-C", sandbox.remote, "rev-parse", branch) == commit)
            try await sandbox.expectReplay()
        }
    }

    private static func manifest(_ version: Int, _ sandbox: Sandbox) -> String {
        Release(version: "\(version)", uri: "models:/echo/\(version)", gates: []).manifest(models: sandbox.models)
    }
}

/// An MLflow of a sandbox, which ends with it.
private final class MLflowServer {
    let url: String
    /// Of the version that was tagged last.
    private(set) var digest: String?
    private var models: Set<String> = []
    private let sandbox: Sandbox
    private let calls: MLflowCalls

    init(in sandbox: Sandbox) async throws {
        self.sandbox = sandbox
        self.url = "http://127.0.0.1:\(sandbox.sparePort)"
        let calls = MLflowCalls(url: self.url, client: HTTPClient())
        self.calls = calls
        _ = try sandbox.start(
            "/usr/bin/env",
            MLflowCalls.environment.map { "\($0)=\($1)" } + [try MLflowCalls.program(below: Machine.root)]
                + MLflowCalls.arguments(port: sandbox.sparePort, in: sandbox.folder),
            output: "\(sandbox.folder)/mlflow.log"
        )
        try await sandbox.until("MLflow answers", within: .seconds(300)) { await calls.isUp }
    }

    /// - Returns: The version.
    func register(_ model: String, _ files: [String: String], isTagged: Bool = false) async throws -> Int {
        if self.models.insert(model).inserted { try await self.calls.create(model) }
        if isTagged { self.digest = try await self.digest(of: files) }
        return try await self.calls.register(
            model,
            files: files.mapValues { Array($0.utf8) },
            digest: isTagged ? self.digest : nil
        )
    }

    func point(_ alias: String, of model: String, to version: Int) async throws {
        try await self.calls.point(alias, of: model, to: version)
    }

    /// By the command that the reference gives for a folder.
    private func digest(of files: [String: String]) async throws -> String {
        let folder = "\(self.sandbox.folder)/\(UUID().uuidString)"
        for (path, text) in files {
            let file = URL(filePath: "\(folder)/\(path)")
            let parent = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let list = "find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- | sha256sum"
        let ended = try await Machine.run("sh", ["-c", list], environment: self.sandbox.environment, at: folder)
        try #require(ended.status == 0, "\(ended.error)")
        return "sha256:\(ended.output.prefix(64))"
    }
}

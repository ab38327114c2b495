import ControllerAPI
import ControllerCommands
import Deployments
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("controller promote-model")
struct PromoteModelCommandTests {
    private let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private static let digest = "sha256:" + String(repeating: "b", count: 64)

    @Test
    func `what is asked for arrives at the daemon`() async throws {
        try await self.fixture.serving {
            for line in [
                ["promote-model", "search/file-type", "--to", "8"],
                ["promote-model", "search/file-type", "--to", "@champion", "--pull-request", "--why", "better"],
                ["promote-model", "search/file-type", "--to", "8", "--digest", Self.digest, "--dry-run"],
            ] {
                let run = await self.fixture.run(line)
                #expect(run.status == 0, "\(run)")
                #expect(run.output == "done\n")
            }
            let received = self.fixture.models.withLock { $0 }.map { request in
                var request = request
                request.by = ""
                return request
            }
            #expect(
                received == [
                    ModelRequest(to: "8"), ModelRequest(to: "@champion", mode: .pullRequest, why: "better"),
                    ModelRequest(to: "8", digest: Self.digest, dryRun: true),
                ]
            )
            #expect(received.map(\.selector) == [.version(8), .alias("champion"), .version(8)])
        }
    }

    private static let promotion = ModelPromotion(
        mode: .branch,
        manifest: CommitReference(repository: "models", branch: "main", commit: "c0"),
        model: "magika",
        previous: "models:/magika/7",
        version: "8",
        digest: nil,
        reason: "",
        warnings: ["nothing pins its bytes"]
    )

    @Test
    func `a dry run shows the change, and warnings go to where data does not`() async throws {
        try await self.fixture.serving {
            self.fixture.modelAnswer.withLock {
                $0 = ModelAnswer(
                    accepted: true,
                    changed: false,
                    message: "would write branch b",
                    promotion: Self.promotion,
                    diff: "--- a/m\n+++ b/m\n@@ -1,1 +1,1 @@\n-old\u{1B}[0m\n+new\n"
                )
            }
            let run = await self.fixture.run("promote-model", "search/file-type", "--to", "8", "--dry-run")
            #expect(run.output.hasPrefix("would write branch b\n--- a/m\n+++ b/m\n@@ -1,1 +1,1 @@\n-old"))
            #expect(run.output.hasSuffix("\n+new\n"))
            // What a file holds commands no terminal.
            #expect(!run.output.contains("\u{1B}"))
            #expect(run.remarks == "warning: nothing pins its bytes\n")
            let line = ["promote-model", "search/file-type", "--to", "8", "--dry-run", "--output", "json"]
            let json = await self.fixture.run(line)
            let answer = try JSONDecoder().decode(ModelAnswer.self, from: Data(json.output.utf8))
            #expect(answer.model == "magika" && answer.from == "models:/magika/7" && answer.version == "8")
            #expect(answer.warnings == ["nothing pins its bytes"])
        }
    }

    @Test
    func `a refusal ends with 1 and the daemon's reason`() async throws {
        try await self.fixture.serving {
            self.fixture.modelAnswer.withLock {
                $0 = ModelAnswer(accepted: false, changed: false, message: "no `modelRegistry` is configured")
            }
            let run = await self.fixture.run("promote-model", "search/file-type", "--to", "8")
            #expect(run.status == 1)
            #expect(run.remarks == "error: no `modelRegistry` is configured\n")
        }
    }

    @Test(arguments: [
        [], ["--to", "v8"], ["--to", "0"], ["--to", "latest"], ["--to", "@"], ["--to", "@latest"], ["--to", "8/9"],
        ["--to", "Production"], ["--to", "8", "--digest", "abc"], ["--to", "8", "--digest", "sha256:ABC"],
    ])
    func `a wrong command line ends with 2`(arguments: [String]) async {
        let run = await self.fixture.run(["promote-model", "search/file-type"] + arguments)
        #expect(run.status == 2, "\(run)")
        #expect(self.fixture.models.withLock { $0.isEmpty })
    }

    @Test
    func `what is proposed, or why nothing is, stands in get and status`() async throws {
        try await self.fixture.serving {
            for (isProblem, mark) in [(false, ""), (true, "✖ ")] {
                self.fixture.fleet.withLock {
                    $0.deployments[0].modelUpdate = ModelUpdateStatus(
                        message: "branch b names magika 8",
                        since: Statuses.now.addingTimeInterval(-120),
                        isProblem: isProblem
                    )
                }
                let status = await self.fixture.run("status", "search/file-type")
                #expect(status.output.contains("  \(mark)model update: branch b names magika 8  since 2m"))
                let get = await self.fixture.run("get")
                #expect(get.remarks.contains("model update: search/file-type: branch b names magika 8, since 2m"))
                #expect(get.remarks.contains("warning: ") == isProblem)
            }
        }
    }
}

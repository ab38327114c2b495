import ControllerAPI
import ControllerCommands
import Foundation
import Manifests
import Synchronization
import Testing

@Suite("controller plan --from")
struct MergePlanTests {
    let fixture: CommandFixture

    init() throws {
        self.fixture = try CommandFixture()
        self.commit("main", ["a": Self.manifest("a"), "b": Self.manifest("b"), "c": Self.manifest("c")])
    }

    static let runtime = """
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: test}
        spec:
          formats: [{name: onnx}]
          protocol: http
          command: [serve, --port, "${port}"]
          readiness: {path: /ready}
        """

    static func manifest(_ name: String, version: String = "1", _ spec: String = "replicas: 1") -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name)}
        spec:
          model: {name: magika, version: "\(version)", format: onnx, uri: "file:///m"}
          runtime: test
          route: {pathPrefix: /\(name)}
          \(spec)
        """
    }

    func commit(_ revision: String, _ manifests: [String: String]) {
        let texts = manifests.map { ("deployments/\($0).yaml", $1) } + [("deployments/runtime.yaml", Self.runtime)]
        let files = texts.sorted { $0.0 < $1.0 }
            .map { SourceFile(path: $0.0, blob: "\($0.1.hashValue)", bytes: Array($0.1.utf8)) }
        self.fixture.revisions.withLock { $0[revision] = files }
    }

    func plan(_ arguments: String...) async throws -> (MergePlan, Run) {
        let run = await self.fixture.run(["plan", "--from", "main", "--output", "json"] + arguments)
        return (try APICoding.decoder().decode(MergePlan.self, from: Data(run.output.utf8)), run)
    }

    func changes(_ plan: MergePlan) -> [String] {
        plan.changes.map { "\($0.deployment) \($0.kind.rawValue): \($0.parts.joined(separator: ", ")); \($0.note)" }
    }

    @Test
    func `each change is said with what follows from it`() async throws {
        self.commit(
            "HEAD",
            [
                "a": Self.manifest("a", version: "2", "rollout: {steps: [{weight: 10}, {weight: 50}], bakeTime: 10m}"),
                "b": Self.manifest("b", "replicas: 3"),
                "d": Self.manifest("d"),
            ]
        )
        let (plan, run) = try await self.plan()
        #expect(run.status == 0, "\(run.remarks)")
        #expect(
            self.changes(plan) == [
                "default/a rollout: model magika 1 → 2, rollout; 10 %, 50 %, then 10m of bake",
                "default/b in-place: replicas 1 → 3; no rollout",
                "default/c deleted: model magika 1; goes after the repository's grace time",
                "default/d new: model magika 1; gets all traffic once it is ready",
            ]
        )
        #expect(plan.unchanged == 0)
        #expect(plan.to.revision == "HEAD")
    }

    @Test
    func `a pull request is planned from where it left the branch`() async throws {
        self.commit("HEAD", ["a": Self.manifest("a", version: "2"), "b": Self.manifest("b"), "c": Self.manifest("c")])
        let run = await self.fixture.run("plan", "--pull-request", "42", "deployments")
        #expect(run.status == 0, "\(run.remarks)")
        #expect(run.output.hasPrefix("main (main0000) → pull request 42 (HEAD0000)  Of HEAD\n"), "\(run.output)")
        #expect(run.remarks.contains("1 rollout, 2 as they are"))
        let other = await self.fixture.run(
            "plan",
            "--pull-request",
            "42",
            "--branch",
            "release",
            "--remote",
            "upstream"
        )
        #expect(other.remarks.contains("there is no commit release"), "\(other.remarks)")
        let missing = await self.fixture.run("plan", "--pull-request", "7", "--remote", "upstream")
        #expect(missing.remarks.contains("upstream has no pull request 7"), "\(missing.remarks)")
        for arguments in [
            ["--pull-request", "42", "--from", "x"], ["--pull-request", "0"], ["--branch", "x", "a.yaml"],
        ] {
            #expect(await self.fixture.run(["plan"] + arguments).status == 2)
        }
    }

    @Test
    func `nothing changes when nothing that is served does`() async throws {
        self.commit(
            "branch",
            ["a": "# A remark.\n" + Self.manifest("a"), "b": Self.manifest("b"), "c": Self.manifest("c")]
        )
        let run = await self.fixture.run("plan", "--from", "main", "--to", "branch")
        #expect(run.status == 0)
        #expect(run.output.contains("Nothing that is served changes."))
        #expect(run.remarks.contains("3 as they are"))
    }

    @Test
    func `what the controller would refuse fails the command and says where`() async throws {
        self.commit(
            "HEAD",
            ["a": Self.manifest("a", "replica: 3"), "b": Self.manifest("b"), "c": "a: [b"]
        )
        let run = await self.fixture.run("plan", "--from", "main")
        #expect(run.status == 1)
        #expect(run.output.contains("default/a"))
        #expect(run.output.contains("its manifest has errors: the one before stands"))
        #expect(run.output.contains("deployments/a.yaml:8:3: error: spec.replica: unknown field"))
        #expect(run.output.contains("its file can't be read: the manifest before stands"))
        #expect(run.remarks.contains("2 refused, 1 as they are"))
    }

    @Test
    func `a removal that an operator must confirm is said to wait`() async throws {
        self.commit("HEAD", ["a": Self.manifest("a")])
        let (plan, _) = try await self.plan()
        #expect(plan.changes.map(\.note) == Array(repeating: "waits for `controller prune`: 2 of 3 would go", count: 2))
    }

    @Test
    func `a change of a runtime is a rollout of all that it serves`() async throws {
        self.commit("HEAD", ["a": Self.manifest("a"), "b": Self.manifest("b"), "c": Self.manifest("c")])
        self.fixture.revisions.withLock { revisions in
            let text = Self.runtime.replacing("--port", with: "--listen")
            revisions["HEAD"]?[3] = SourceFile(path: "deployments/runtime.yaml", blob: "2", bytes: Array(text.utf8))
        }
        let (plan, _) = try await self.plan()
        #expect(plan.changes.map(\.kind) == [.rollout, .rollout, .rollout])
        #expect(plan.changes.first?.parts == ["runtime test"])
    }

    @Test
    func `a change of a defaults.yaml is one of all below it that do not say otherwise`() async throws {
        let manifests = [
            "a": Self.manifest("a"), "b": Self.manifest("b"), "c": Self.manifest("c", "resources: {gpu: 0}"),
        ]
        self.commit("main", manifests)
        let defaults = { (spec: String) in
            "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\nspec: \(spec)\n"
        }
        self.commit("HEAD", manifests.merging(["defaults": defaults("{resources: {gpu: 1}}")]) { first, _ in first })
        let (plan, _) = try await self.plan()
        #expect(plan.changes.map(\.deployment) == ["default/a", "default/b"])
        #expect(plan.changes.map(\.kind) == [.rollout, .rollout])
        #expect(plan.changes.map(\.parts) == [["resources"], ["resources"]])
        #expect(plan.unchanged == 1)
        self.commit("HEAD", manifests.merging(["defaults": defaults("{replicas: many}")]) { first, _ in first })
        let (broken, run) = try await self.plan()
        #expect(run.status == 1)
        #expect(broken.changes.map(\.kind) == [.refused, .refused, .refused])
        #expect(
            Set(broken.changes.map(\.note)) == [
                "its manifest or a `defaults.yaml` above it has errors: the one before stands"
            ]
        )
        #expect(broken.diagnostics.count == 1)
    }

    @Test
    func `with a rate it says what to expect of a rollout`() async throws {
        self.commit("HEAD", ["a": Self.manifest("a", version: "2"), "b": Self.manifest("b"), "c": Self.manifest("c")])
        let (plan, _) = try await self.plan("--rate", "200", "deployments")
        #expect(plan.changes.first?.forecast?.requestsPerSecond == 200)
        let run = await self.fixture.run("plan", "--from", "main", "--rate", "200")
        #expect(run.output.contains("a good one is promoted after about"))
        #expect(run.output.contains("one with five times the errors is found in"))
    }

    @Test
    func `a comment holds no markup of others`() async throws {
        let path = "deployments/@team|`x`.yaml"
        let text = Self.manifest("a", version: "2")
        self.fixture.revisions.withLock { revisions in
            revisions["HEAD"] = (revisions["main"] ?? []).filter { !$0.path.hasSuffix("/a.yaml") }
            revisions["HEAD"]?.insert(SourceFile(path: path, blob: "2", bytes: Array(text.utf8)), at: 0)
        }
        let run = await self.fixture.run("plan", "--from", "main", "--markdown")
        #expect(run.status == 0, "\(run.remarks)")
        #expect(run.output.hasPrefix("### What merging this does\n"))
        let row = try #require(run.output.split(separator: "\n").first { $0.contains("default/a") })
        #expect(row.split(separator: "|").count == 4, "\(row)")
        #expect(row.contains("`model magika 1 → 2, file deployments/a.yaml → deployments/@team/'x'.yaml`"), "\(row)")
    }

    @Test(arguments: [
        (["--to", "HEAD~1"], "say which is served with --from"), (["--markdown"], "say which is served with --from"),
        (["--from", "main", "a", "b"], "at most one path"), (["--from", "nowhere"], "there is no commit nowhere"),
        (["--from", "main", "--markdown", "--output", "json"], "exclude each other"),
        (["--from", "main", "--to", "main", "elsewhere"], "there are no manifests in the folder elsewhere"),
        ([], "name a manifest"),
    ])
    func `a command line that says nothing is refused`(arguments: [String], message: String) async throws {
        let run = await self.fixture.run(["plan"] + arguments)
        #expect(run.status == 2)
        #expect(run.remarks.contains(message), "\(run.remarks)")
    }
}

import ControllerCommands
import Deployments
import Manifests
import Testing

@Suite("The configuration of model updates")
struct ModelUpdateConfigurationTests {
    private func read(
        _ updates: String,
        promotions: String = "branch",
        repository: String = "",
        isKnown: Bool = true
    ) throws -> Configuration {
        let registry = isKnown ? "modelRegistry: {url: \"https://mlflow.example\"}" : ""
        let text = """
            repositories:
              - {name: a, url: /srv/a, promotions: \(promotions)\(repository)}
            \(registry)
            modelUpdates:
              - \(updates)
            """
        return try Configuration(reading: Array(text.utf8), path: "c.yaml")
    }

    private func problems(
        _ updates: String,
        promotions: String = "branch",
        repository: String = "",
        isKnown: Bool = true
    ) -> String {
        do {
            return try self.read(updates, promotions: promotions, repository: repository, isKnown: isKnown).warnings
                .map(\.description).joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    @Test
    func `a model update names an alias and who follows it`() throws {
        let update = try #require(
            try self.read("{alias: champion, deployments: [search/file-type, lab/*, chat]}").modelUpdates.first
        )
        #expect(update.alias == "champion" && update.model == nil && update.mode == .branch)
        #expect(update.interval == .minutes(1))
        #expect(update.deployments.map(\.namespace) == ["search", "lab", "default"])
        #expect(update.deployments.map(\.name) == ["file-type", nil, "chat"])
        let forge = ", forge: {kind: gitea, url: \"https://g.example/api/v1\", project: a/b, tokenFile: /t}"
        let other = try self.read(
            "{alias: a, model: magika, deployments: [x], mode: pullRequest, interval: 5m}",
            promotions: "pullRequest",
            repository: forge
        )
        #expect(other.modelUpdates.first?.mode == .pullRequest && other.modelUpdates.first?.model == "magika")
        #expect(other.repositories.first?.promotions == .pullRequest)
        #expect(other.warnings.isEmpty)
    }

    @Test(arguments: [
        ("{alias: latest, deployments: [x]}", "branch", "an alias of the registry"),
        ("{alias: \"@champion\", deployments: [x]}", "branch", "without @"),
        ("{alias: champion}", "branch", "`deployments` is missing"),
        ("{alias: champion, deployments: []}", "branch", "it concerns nobody"),
        ("{alias: champion, deployments: [\"*\"]}", "branch", "namespace/* for all of a namespace"),
        ("{alias: champion, deployments: [a/b/c]}", "branch", "namespace/name of a deployment"),
        ("{alias: champion, deployments: [x], mode: push}", "branch", "unknown value `push`"),
        ("{alias: champion, deployments: [x], interval: 1ms}", "branch", "interval"),
        ("{alias: champion, deployments: [x]}", "none", "add `promotions: branch` to one"),
        ("{alias: champion, deployments: [x], mode: pullRequest}", "branch", "or `mode: branch`"),
        ("{alias: champion, deployments: [x]}", "pullRequest", "only a forge opens pull requests"),
    ])
    func `what cannot be meant is refused`(updates: String, promotions: String, problem: String) {
        let problems = self.problems(updates, promotions: promotions)
        #expect(problems.contains(problem), "\(problems)")
    }

    @Test
    func `models are proposed to branches only`() {
        let problems = self.problems("{alias: champion, deployments: [x]}", repository: ", tag: v1")
        #expect(problems.contains("a model is proposed to a branch"), "\(problems)")
    }

    @Test
    func `without a registry there is nothing to follow`() {
        let problems = self.problems("{alias: champion, deployments: [x]}", isKnown: false)
        #expect(problems.contains("nobody knows what an alias names: add `modelRegistry`"), "\(problems)")
    }
}

import Deployments
import Manifests
import Testing

struct AutoscalingManifestTests {
    private static func read(_ text: String) -> DeploymentSpec? {
        var texts = Fixture.everything
        texts["deployments/search/file-type.yaml"] = text
        return Fixture.read(texts).deployments.first { $0.id.description == "search/file-type" }
    }

    @Test
    func `autoscaling takes the place of a number of replicas`() throws {
        let text = Fixture.complete.replacing(
            "replicas: 3",
            with: "autoscaling: {minReplicas: 2, maxReplicas: 8, targetConcurrency: 2.5, scaleDownAfter: 30s}"
        )
        let fixed = try #require(Self.read(Fixture.complete))
        let spec = try #require(Self.read(text))
        let autoscaling = Autoscaling(
            minReplicas: 2,
            maxReplicas: 8,
            targetConcurrency: 2.5,
            scaleDownAfter: .seconds(30)
        )
        #expect(spec.autoscaling == autoscaling)
        #expect(spec.replicas == 2)
        #expect(spec.revision == fixed.revision, "it is no part of the revision")
        #expect(fixed.autoscaling == nil)
        let short = text.replacing(", scaleDownAfter: 30s", with: "")
        #expect(Self.read(short)?.autoscaling?.scaleDownAfter == .minutes(5))
    }

    @Test(arguments: [
        (
            "{minReplicas: 3, maxReplicas: 2, targetConcurrency: 4}",
            "17:46: error: spec.autoscaling.maxReplicas: 2 is less than `minReplicas`, which is 3: raise "
                + "`maxReplicas`, or lower `minReplicas`"
        ),
        (
            "{minReplicas: 0, maxReplicas: 2, targetConcurrency: 4}",
            "17:30: error: spec.autoscaling.minReplicas: expected a whole number from 1 to 1000, found `0`: write for "
                + "example `minReplicas: 2`"
        ),
        (
            "{minReplicas: 1, maxReplicas: 2, targetConcurrency: 0}",
            "17:68: error: spec.autoscaling.targetConcurrency: expected a number of requests from 0.01 to 1000000, "
                + "found `0`: write for example `targetConcurrency: 4`"
        ),
        (
            "{minReplicas: 1, maxReplicas: 2, targetConcurrency: .inf}",
            "17:68: error: spec.autoscaling.targetConcurrency: expected a number, found `.inf`: write for "
                + "example `targetConcurrency: 4`"
        ),
        (
            "{minReplicas: 1, maxReplicas: 2, targetConcurrency: 4, scaleDownAfter: 9s}",
            "17:87: error: spec.autoscaling.scaleDownAfter: expected a duration from 10s to 1d, found the text `9s`: "
                + "write for example `scaleDownAfter: 5m`"
        ),
        (
            "{minReplicas: 1, targetConcurrency: 4}",
            "17:16: error: spec.autoscaling: `maxReplicas` is missing: add for example `maxReplicas: 8`"
        ),
    ])
    func `wrong bounds are refused`(autoscaling: String, message: String) {
        let problems = Fixture.problems(replacing: "replicas: 3", with: "autoscaling: \(autoscaling)")
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasSuffix(message) == true, "\(problems)")
    }

    @Test
    func `a fixed number beside it is refused`() {
        let both = "replicas: 3\n  autoscaling: {minReplicas: 2, maxReplicas: 8, targetConcurrency: 4}"
        let problems = Fixture.problems(replacing: "replicas: 3", with: both)
        let message =
            "17:13: error: spec.replicas: `replicas` and `autoscaling` exclude each other: remove `replicas`, or "
            + "`autoscaling`"
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasSuffix(message) == true, "\(problems)")
    }
}

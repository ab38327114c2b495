import Deployments
import Manifests
import Testing

/// `surge` below 100 percent: what has no room is told in the manifest, with the fix.
struct SurgeTests {
    private static func problems(_ rollout: String, _ replicas: String = "replicas: 4") -> [String] {
        let spec = "  \(replicas)\n  rollout: {\(rollout)}"
        return Fixture.read(Fixture.minimal("a", spec: spec)).diagnostics.map { "\($0.field): \($0.message)" }
    }

    @Test
    func `steps that have room for their replicas are taken`() throws {
        let spec = "  replicas: 4\n  rollout: {surge: 25%, steps: [{weight: 25}, {weight: 50}, {weight: 75}]}"
        let state = Fixture.read(Fixture.minimal("a", spec: spec))
        #expect(state.diagnostics.map(\.description) == [])
        #expect(state.deployments.first?.rollout.surge == 25)
        #expect(Self.problems("surge: 50", "replicas: 2") == [], "the default steps of two replicas")
        #expect(Self.problems("surge: 33%, steps: [{weight: 33}, {weight: 67}]", "replicas: 3") == [])
        #expect(Self.problems("surge: 1%, strategy: canary", "replicas: 1") == [])
        #expect(Self.problems("surge: 100%, strategy: blueGreen") == [])
    }

    @Test(arguments: [
        (
            "surge: 25%, steps: [{weight: 50}, {weight: 75}]",
            "spec.rollout.steps[0]: 0 % to 50 %: with 4 replicas that takes 2 of the canary, and `surge: 25%` has room for "
                + "1: go to 25 at most, or use `surge: 26%`"
        ),
        (
            "surge: 25%, steps: [{shadow: {percent: 10}}, {weight: 25}, {weight: 76}]",
            "spec.rollout.steps[2]: 25 % to 76 %: with 4 replicas that takes 4 of the canary, and `surge: 25%` has room for "
                + "2: go to 50 at most, or use `surge: 51%`"
        ),
        (
            "surge: 25%, steps: [{weight: 25}, {weight: 50}]",
            "spec.rollout.steps[1]: 50 % to 100 %: with 4 replicas that takes 4 of the canary, and `surge: 25%` has room for "
                + "3: add a step of at most 75 after this one, or use `surge: 26%`"
        ),
        (
            "surge: 25%",
            "spec.rollout.surge: the default steps, 50 % to 100 %: with 4 replicas that takes 4 of the canary, and "
                + "`surge: 25%` has room for 3: go to 75 at most, or use `surge: 26%`"
        ),
        (
            "surge: 25%, holdback: 26, steps: [{weight: 25}, {weight: 50}, {weight: 75}]",
            "spec.rollout.holdback: a holdback of 26 % takes 2 of 4 replicas, and the surge leaves the previous revision 1: "
                + "use at most `holdback: 25`, or `surge: 26%`"
        ),
        (
            "surge: 0%",
            "spec.rollout.surge: without a replica more nothing can be exchanged: use `strategy: recreate`, or `surge: 1%`"
        ),
        ("surge: 101%", "spec.rollout.surge: a full second set is the most that is ever started: write `surge: 100%`"),
        (
            "surge: 50%, strategy: blueGreen",
            "spec.rollout.surge: `blueGreen` needs both revisions in full: remove the surge, or use `strategy: canary`"
        ),
        (
            "surge: 50%, strategy: recreate",
            "spec.rollout.surge: `recreate` adds no replicas: remove the surge, or use `strategy: canary`"
        ),
    ])
    func `a surge with too little room is refused on the line of the step, with the fix`(
        rollout: String,
        problem: String
    ) {
        #expect(Self.problems(rollout) == [problem])
    }

    @Test
    func `every number of replicas that autoscaling may choose is checked`() {
        let steps = "surge: 33%, steps: [{weight: 33}, {weight: 67}]"
        let three = "autoscaling: {minReplicas: 3, maxReplicas: 3, targetConcurrency: 4}"
        let more = "autoscaling: {minReplicas: 3, maxReplicas: 4, targetConcurrency: 4}"
        let fewer = "autoscaling: {minReplicas: 2, maxReplicas: 3, targetConcurrency: 4}"
        #expect(Self.problems(steps, three) == [])
        #expect(Self.problems(steps, more) == [])
        #expect(Self.problems(steps, fewer).count == 1)
        #expect(Self.problems(steps, fewer).first?.contains("with 2 replicas that takes 2") == true)
    }

    @Test
    func `a fix that is named does`() {
        for replicas in 1...12 {
            for surge in [1, 10, 25, 33, 50, 75, 99] {
                let exchange = Exchange(stable: replicas, canary: replicas, surge: surge)
                var weight = TrafficWeight.none
                var steps: [TrafficWeight] = []
                while weight < .all {
                    let next = exchange.reach(from: weight)
                    #expect(next > weight, "\(replicas) replicas, \(surge)%, from \(weight)")
                    guard next > weight else { return }
                    weight = next
                    if next < .all { steps.append(next) }
                }
                if steps.isEmpty { continue }
                let text = steps.map { "{weight: \($0.percent)}" }.joined(separator: ", ")
                let problems = Self.problems("surge: \(surge)%, holdback: 1, steps: [\(text)]", "replicas: \(replicas)")
                #expect(problems == [], "\(replicas) replicas, \(surge)%: \(text)")
            }
        }
    }
}

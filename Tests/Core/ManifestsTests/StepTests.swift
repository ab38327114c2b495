import Deployments
import Manifests
import Testing

struct StepTests {
    @Test
    func `copies and matched requests are steps of their own`() throws {
        let steps = """
            - shadow: {percent: 50%}
                  - match:
                      headers:
                        - {name: X-Canary, exact: "true"}
                        - {name: x-user, prefix: beta-}
                        - {name: x-trace, present: true}
                    atLeast: 10m
                  - weight: 5

            """
        let text = Fixture.complete.replacing("- weight: 5\n", with: steps)
        let state = Fixture.read(Fixture.everything.merging(["deployments/search/file-type.yaml": text]) { $1 })
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let spec = try #require(state.deployments.last)
        let headers = HeaderMatches([
            .init(name: "x-canary", value: .exact("true")), .init(name: "x-user", value: .prefix("beta-")),
            .init(name: "x-trace", value: .present),
        ])
        #expect(
            spec.rollout.steps.map(\.action).prefix(3) == [
                .shadow(TrafficWeight(percent: 50)), .match(headers), .weight(TrafficWeight(percent: 5)),
            ]
        )
    }

    @Test(arguments: [
        ("- weight: 5\n", "- weight: 5\n      - shadow: {percent: 100}\n", "put this step before the first `weight`"),
        ("- weight: 5\n", "- shadow: {percent: 0}\n", "expected a percentage from 1% to 100%"),
        ("- weight: 5\n", "- match: {headers: []}\n", "without a header every request would match"),
        (
            "- weight: 5\n", "- match: {headers: [{name: x-canary}]}\n",
            "one of `exact`, `prefix` or `present` is missing"
        ),
        ("- weight: 5\n", "- match: {headers: [{name: x-envoy-a, present: true}]}\n", "choose another name"),
        ("- weight: 5\n", "- match: {headers: [{name: x-a, present: false}]}\n", "only `true` is possible"),
        ("strategy: canary", "strategy: recreate", "`recreate` leaves nothing to compare with: remove `steps`"),
        ("strategy: canary", "strategy: blueGreen", "remove the weight, or use `strategy: canary`"),
        ("bakeTime: 10m", "holdback: 51", "expected a percentage from 0% to 50%"),
    ])
    func `a step that cannot be is reported with what to write instead`(old: String, new: String, expected: String) {
        let problems = Fixture.problems(replacing: old, with: new)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test
    func `blueGreen has no steps unless it names some, and no holdback`() throws {
        let none = Fixture.minimal("a", spec: "  rollout: {strategy: blueGreen}")
        let spec = try #require(Fixture.read(none).deployments.first)
        #expect(spec.rollout.strategy == .blueGreen)
        #expect(spec.rollout.steps == [])
        let some = Fixture.minimal("a", spec: "  rollout: {strategy: blueGreen, steps: [{approval: {}}]}")
        #expect(Fixture.read(some).deployments.first?.rollout.steps == [Step(action: .approval)])
        let held = Fixture.read(Fixture.minimal("a", spec: "  rollout: {strategy: blueGreen, holdback: 5}"))
        #expect(held.diagnostics.map(\.message) == ["`blueGreen` moves all traffic at once: remove the holdback"])
    }
}

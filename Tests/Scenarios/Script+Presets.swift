import Deployments
import Rollouts
import Simulation

extension Script {
    /// Canaries that are judged by other tools' rules, with their documented defaults.
    static let presets: [Script] = [
        Script(
            "flagger-promotes-fivefold",
            "five times stable's errors leave 99 percent of success: flagger's rule promotes, through two restarts",
            ticks: 520,
            policy: Self.judged(by: .flagger(FlaggerRule()), atLeast: .minutes(2)),
            canary: Scenario.Behaviour(errors: 0.005),
            ends: 1
        ) {
            $0.revisions[Scenario.revision(0)] = Scenario.Behaviour(errors: 0.001)
            $0.kills = [60, 210]
        },
        Script(
            "flagger-blames-a-bad-day",
            "both revisions fail as often: flagger's rule counts five failed checks and takes a good canary back",
            ticks: 440,
            policy: Self.judged(by: .flagger(FlaggerRule()), atLeast: .minutes(2)),
            canary: Scenario.Behaviour(errors: 0.02),
            ends: 0,
            quarantined: [1]
        ) { $0.revisions[Scenario.revision(0)] = Scenario.Behaviour(errors: 0.02) },
        Script(
            "argo-waits-for-a-measurement",
            "argo's rule sees a canary that fails six percent after five minutes, when it first measures",
            ticks: 360,
            policy: Self.judged(by: .argo(ArgoRule()), atLeast: .minutes(2)),
            canary: Scenario.Behaviour(errors: 0.06),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "kayenta-finds-fivefold",
            "kayenta's rule compares the two, and finds five times stable's errors at its first look",
            ticks: 360,
            policy: Self.judged(by: .kayenta(KayentaRule()), atLeast: .minutes(2)),
            canary: Scenario.Behaviour(errors: 0.005),
            ends: 0,
            quarantined: [1]
        ) { $0.revisions[Scenario.revision(0)] = Scenario.Behaviour(errors: 0.001) },
    ]

    private static func judged(by rule: PresetRule, atLeast: Duration) -> RolloutPolicy {
        var policy = Self.policy
        policy.gates = [
            Gate(name: "success-rate", kind: .preset(rule)), .clientErrors, .latency(below: .milliseconds(250)),
        ]
        policy.steps = [5, 25, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: atLeast, atMost: .hours(1))
        }
        return policy
    }
}

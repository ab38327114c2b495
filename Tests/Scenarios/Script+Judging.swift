import Deployments
import Rollouts
import Simulation

extension Script {
    /// What is hard for every judge of canaries.
    static let hardToJudge: [Script] = [
        Script(
            "low-traffic",
            "twenty requests a second: a canary that is five times as bad is neither called safe nor let go on",
            traffic: 20,
            ticks: 900,
            policy: Self.holding(.minutes(10)),
            canary: Scenario.Behaviour(errors: 0.01),
            ends: 0
        ),
        Script(
            "low-traffic-hard-failure",
            "twenty requests a second, one of them on the canary: that it fails half of them is plain all the same",
            traffic: 20,
            ticks: 120,
            canary: Scenario.Behaviour(errors: 0.5),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "bursty-errors",
            "errors come twenty at a time, at both revisions: known of stable, they make no verdict, only a slower one",
            ticks: 3600,
            policy: Self.holding(.minutes(30)),
            canary: Self.with { $0.burst = 20 },
            ends: 1
        ) { scenario in
            scenario.revisions[Scenario.revision(0)] = Self.with { $0.burst = 20 }
            // After ten minutes of stable's history.
            scenario.commits[20] = nil
            scenario.commits[620] = .spec(Scenario.spec(1, policy: Self.holding(.minutes(30))))
        },
        Script(
            "restart-among-bursts",
            "errors come twenty at a time, and the controller restarts a minute before the merge: it remembers",
            ticks: 3600,
            policy: Self.holding(.minutes(30)),
            canary: Self.with { $0.burst = 20 },
            ends: 1
        ) { scenario in
            scenario.revisions[Scenario.revision(0)] = Self.with { $0.burst = 20 }
            scenario.commits[20] = nil
            scenario.kills = [620]
            scenario.commits[680] = .spec(Scenario.spec(1, policy: Self.holding(.minutes(30))))
        },
        Script(
            "late-onset",
            "a canary that was good for a quarter of an hour turns bad: its good past does not protect it",
            traffic: 400,
            ticks: 1020,
            policy: Self.holding(.minutes(30), atLeast: .minutes(20)),
            ends: 0,
            quarantined: [1]
        ) { $0.changes[925] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.05)] },
        Script(
            "overload-from-a-quarter",
            "a canary that is good at 5 percent fails from 25 percent on: it goes back from there",
            ticks: 160,
            canary: Self.with { $0.overload = .init(from: 25, errors: 0.05) },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "slower-throughout",
            "the canary is slower in its body and as good in its tail: with a gate on slower answers it goes back",
            ticks: 80,
            policy: Self.rankingAnswers,
            canary: Self.with { $0.sluggish = 0.3 },
            ends: 0,
            quarantined: [1]
        ) { $0.showsAnswerTimes = true },
        Script(
            "slower-within-the-objective",
            "the same canary, judged by its tail alone, is promoted",
            canary: Self.with { $0.sluggish = 0.3 },
            ends: 1
        ) { $0.showsAnswerTimes = true },
        Script(
            "as-fast-as-stable",
            "a canary as fast as stable passes a gate on slower answers at every step, and goes on through the bake",
            policy: Self.rankingAnswers,
            ends: 1
        ) { $0.showsAnswerTimes = true },
        Script(
            "wrong-answers",
            "a tenth of the canary's answers is wrong, which only a metric provider counts: it goes back",
            ticks: 100,
            policy: Self.countingWrong,
            canary: Self.with { $0.wrong = 0.1 },
            ends: 0,
            quarantined: [1]
        ) { $0.countsWrong = true },
        Script(
            "wrong-in-bake",
            "once promoted, its answers get wrong: the provider is asked through the bake, and it goes back",
            ticks: 220,
            policy: Self.countingWrong,
            ends: 0,
            quarantined: [1]
        ) {
            $0.countsWrong = true
            $0.changes[140] = [Scenario.revision(1): Self.with { $0.wrong = 0.1 }]
        },
        Script(
            "provider-lost-in-bake",
            "nobody answers for the provider through the bake: that holds nothing, and nothing is rolled back",
            ticks: 260,
            policy: Self.countingWrong,
            ends: 1
        ) {
            $0.countsWrong = true
            $0.outages[.providerOutage] = 125...250
        },
    ]

    private static let countingWrong: RolloutPolicy = {
        var policy = Self.policy
        policy.gates.append(Scenario.wrong)
        return policy
    }()

    private static let rankingAnswers: RolloutPolicy = {
        var policy = Self.policy
        policy.gates.append(.slowdown)
        return policy
    }()

    private static func holding(_ atMost: Duration, atLeast: Duration = .seconds(10)) -> RolloutPolicy {
        var policy = Self.policy
        policy.steps = [5, 25, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: atLeast, atMost: atMost)
        }
        return policy
    }
}

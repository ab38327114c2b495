import Deployments
import Rollouts
import Simulation
import Testing

/// A scripted world: no random faults, the same every time.
struct Script: Sendable, CustomTestStringConvertible {
    let name: String
    let about: String
    var scenario: Scenario
    /// The stable revision in the end.
    var ends: Int?
    /// What is quarantined in the end.
    var quarantined: [Int] = []

    var testDescription: String { self.name }

    /// Revision 0 serves; revision 1 is merged at tick 20.
    init(
        _ name: String,
        _ about: String,
        traffic: Int = 1000,
        ticks: Int = 240,
        policy: RolloutPolicy = Self.policy,
        canary: Scenario.Behaviour = Scenario.Behaviour(),
        ends: Int?,
        quarantined: [Int] = [],
        _ change: (inout Scenario) -> Void = { _ in }
    ) {
        self.name = name
        self.about = about
        self.scenario = Scenario(traffic: traffic, ticks: ticks)
        self.scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
        self.scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
        self.scenario.revisions[Scenario.revision(1)] = canary
        self.ends = ends
        self.quarantined = quarantined
        change(&self.scenario)
    }

    static let policy = RolloutPolicy(
        steps: [5, 25, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(10), atMost: .seconds(300))
        },
        gates: [.errors, .clientErrors, .latency(below: .milliseconds(250))],
        bakeTime: .seconds(60),
        progressDeadline: .seconds(60)
    )

    static let withoutHoldback: RolloutPolicy = {
        var policy = Self.policy
        policy.holdback = .none
        return policy
    }()

    static func steps(_ strategy: Strategy, _ actions: Step.Action...) -> RolloutPolicy {
        var policy = Self.policy
        policy.strategy = strategy
        policy.steps = actions.map { Step(action: $0, atLeast: .seconds(10), atMost: .seconds(300)) }
        return policy
    }

    static let withApproval: RolloutPolicy = {
        var policy = Self.policy
        policy.steps.insert(Step(action: .approval), at: 1)
        return policy
    }()

    static func with(_ change: (inout Scenario.Behaviour) -> Void) -> Scenario.Behaviour {
        var behaviour = Scenario.Behaviour()
        change(&behaviour)
        return behaviour
    }
}

extension Script {
    static let all: [Script] =
        Self.verdicts + Self.hardToJudge + Self.presets + Self.strategies + Self.outages + Self.commits + Self.commands
        + Self.incidents + Self.shortages + Self.loads + Self.exchanges

    static let verdicts: [Script] = [
        Script("good-canary", "a good canary takes every step and is promoted", ends: 1),
        Script(
            "hard-failure",
            "half of the canary's answers are errors",
            ticks: 80,
            canary: Scenario.Behaviour(errors: 0.5),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "client-errors",
            "the canary refuses every request, so every answer is a 4xx",
            ticks: 80,
            canary: Scenario.Behaviour(clientErrors: 1),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "slow-share",
            "a fifth of the canary's answers are slow",
            ticks: 80,
            canary: Scenario.Behaviour(slow: 0.2),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "signature-changed",
            "the canary's inputs differ from the stable model's: no request reaches it",
            ticks: 60,
            canary: Self.with { $0.signature = "b" },
            ends: 0,
            quarantined: [1]
        ),
    ]

    static let outages: [Script] = [
        Script("router-outage", "the router is out of sight for two minutes in mid-step", ticks: 360, ends: 1) {
            $0.outages[.routerOutage] = 30...150
        },
        Script("metrics-outage", "there are no counters for two minutes in mid-step", ticks: 360, ends: 1) {
            $0.outages[.countersOutage] = 30...150
        },
        Script("platform-outage", "the platform is out of sight for two minutes in mid-step", ticks: 360, ends: 1) {
            $0.outages[.platformOutage] = 30...150
        },
        Script("controller-killed", "the controller is killed after decisions, in mid-step and at promotion", ends: 1) {
            $0.kills = [28, 40, 41, 67, 80, 110]
        },
        Script(
            "full-disk",
            "the journal refuses all writes while the canary fails",
            ticks: 120,
            ends: 0,
            quarantined: [1]
        ) {
            $0.revisions[Scenario.revision(1)] = Scenario.Behaviour(errors: 0.5)
            $0.outages[.journalOutage] = 27...60
        },
    ]

    static let commits: [Script] = [
        Script(
            "fix-overtakes",
            "a fix is merged while the broken revision is still being judged",
            traffic: 200,
            ticks: 420,
            canary: Scenario.Behaviour(errors: 0.01),
            ends: 2
        ) { $0.commits[35] = .spec(Scenario.spec(2, policy: Self.policy)) },
        Script(
            "same-commit-again",
            "after its rollback the same bad revision is seen a hundred times, also from other commits",
            ticks: 200,
            canary: Scenario.Behaviour(errors: 0.5),
            ends: 0,
            quarantined: [1]
        ) { scenario in
            for tick in 60..<160 {
                scenario.commits[tick] = .spec(Scenario.spec(1, commit: tick / 20, policy: Self.policy))
            }
        },
        Script("revert-in-bake", "git goes back to the previous revision while it is still warm", ticks: 160, ends: 0) {
            $0.commits[120] = .spec(Scenario.spec(0, commit: 9, policy: Self.policy))
        },
        Script(
            "vanished-manifest",
            "the manifest vanishes in mid-canary: all goes on until an operator says that it is meant",
            ticks: 100,
            ends: nil
        ) {
            $0.commits[45] = .absent
            $0.happenings.append(Scenario.Happening(60, .prune(Scenario.id)))
        },
        Script("broken-manifest", "the manifest stops parsing in mid-canary: the last good one stands", ends: 1) {
            $0.commits[45] = .broken
        },
    ]

    static let strategies: [Script] = [
        Script(
            "shadow-and-match",
            "copies of the requests first, then those of the testers, then a share of everybody's",
            ticks: 320,
            policy: Self.steps(
                .canary,
                .shadow(.all),
                .match(HeaderMatches([.init(name: "x-canary", value: .exact("true"))])),
                .weight(TrafficWeight(percent: 50))
            ),
            ends: 1
        ),
        Script(
            "shadow-of-a-bad-canary",
            "a canary that fails on every tenth copy never answers anybody",
            ticks: 80,
            policy: Self.steps(.canary, .shadow(.all), .weight(TrafficWeight(percent: 50))),
            canary: Scenario.Behaviour(errors: 0.1),
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "recreate",
            "what cannot run twice: stable leaves once the artifact is here, the canary starts in its place",
            ticks: 120,
            policy: Self.steps(.recreate),
            canary: Self.with { $0.startTicks = 5 },
            ends: 1
        ),
        Script(
            "recreate-fails",
            "a canary in stable's place gives a wrong golden answer: stable is started again",
            ticks: 80,
            policy: Self.steps(.recreate),
            canary: Self.with { $0.failsGolden = true },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "blue-green",
            "a preview until somebody approves, one switch, and a rollback in the bake that starts nothing",
            ticks: 140,
            policy: Self.steps(.blueGreen, .approval),
            ends: 0,
            quarantined: [1]
        ) {
            $0.commands[60] = [Command(.promote(full: false, force: false), by: "lead", why: "looks good")]
            $0.commands[90] = [Command(.rollback(to: nil), by: "sre", why: "users complain")]
        },
    ]

    static let commands: [Script] = [
        Script(
            "promote-races-breach",
            "an operator promotes in the very tick in which the gate fails",
            ticks: 80,
            canary: Scenario.Behaviour(errors: 0.5),
            ends: 0,
            quarantined: [1]
        ) { scenario in
            for tick in 27...29 { scenario.commands[tick] = [Command(.promote(full: true, force: true), by: "lead")] }
        },
        Script("pause-and-resume", "an operator pauses over lunch", ticks: 280, ends: 1) {
            $0.commands[32] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
            $0.commands[92] = [Command(.resume, by: "sre")]
        },
        Script(
            "breach-while-paused",
            "the canary turns bad while the rollout is paused: safety does not wait",
            ticks: 120,
            ends: 0,
            quarantined: [1]
        ) {
            $0.commands[32] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
            $0.changes[60] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.3)]
        },
        Script("rollback-in-bake", "an operator takes a promoted revision back", ticks: 160, ends: 0, quarantined: [1])
        {
            $0.commands[120] = [Command(.rollback(to: nil), by: "sre", why: "users complain")]
        },
        Script(
            "breach-in-bake",
            "the promoted revision breaks its objective while the previous one is warm",
            ticks: 200,
            policy: Self.withoutHoldback,
            ends: 0,
            quarantined: [1]
        ) { $0.changes[120] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.3)] },
        Script(
            "gate-fails-in-bake",
            "the promoted revision turns worse than the one before, which keeps a part of the traffic to compare with",
            ticks: 200,
            ends: 0,
            quarantined: [1]
        ) { $0.changes[106] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.01)] },
        Script(
            "approval",
            "an approval holds after the first step until somebody gives it",
            ticks: 260,
            policy: Self.withApproval,
            ends: 1
        ) { $0.commands[100] = [Command(.promote(full: false, force: false), by: "lead", why: "looks good")] },
        Script("freeze", "a window opens before a merge: the rollout starts when it ends", ticks: 300, ends: 1) {
            let from = Scenario.begin + .seconds(10)
            let schedule = FreezeWindow.Schedule.once(from: from, until: from + .seconds(60))
            $0.freezes = [FreezeWindow(name: "black-friday", schedule: schedule)]
        },
        Script(
            "breach-while-frozen",
            "the canary turns bad in a window: safety does not wait for its end",
            ticks: 120,
            ends: 0,
            quarantined: [1]
        ) {
            let from = Scenario.begin + .seconds(30)
            let schedule = FreezeWindow.Schedule.once(from: from, until: from + .hours(1))
            $0.freezes = [FreezeWindow(name: "black-friday", schedule: schedule)]
            $0.changes[60] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.3)]
        },
        Script("retry", "an aborted revision is tried again by an operator", ends: 1) {
            $0.commands[40] = [Command(.abort, by: "sre", why: "wrong day")]
            $0.commands[60] = [Command(.retry, by: "sre", why: "right day")]
        },
    ]
}

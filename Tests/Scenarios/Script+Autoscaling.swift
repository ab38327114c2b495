import Deployments
import Rollouts
import Simulation

extension Script {
    /// 1000 requests per second, each in flight for 20 ms, are 20 at once: with 5 for a replica, four are needed.
    static let loads: [Script] = [
        Script(
            "load-doubles",
            "the load doubles: up at once, and down five minutes after it is over",
            ticks: 600,
            ends: 0
        ) {
            Self.scale(&$0)
            $0.loads = [60: 2000, 200: 1000]
        },
        Script("a-dip", "the load falls for two minutes: the number of replicas stays", ticks: 300, ends: 0) {
            Self.scale(&$0)
            $0.loads = [60: 200, 180: 1000]
        },
        Script(
            "load-in-a-rollout",
            "the load doubles in a rollout, which holds the number still until its bake",
            ends: 1
        ) {
            Self.scale(&$0, revisions: 2)
            $0.loads = [60: 2000]
        },
        Script("load-unseen", "the load falls while the router is out of sight: nothing goes", ticks: 800, ends: 0) {
            Self.scale(&$0)
            $0.loads = [60: 200]
            $0.outages = [.routerOutage: 70...420]
        },
        Script(
            "killed-in-a-dip",
            "the load falls, and the controller is killed: fewer only after five more minutes",
            ticks: 600,
            ends: 0
        ) {
            Self.scale(&$0)
            $0.loads = [60: 200]
            $0.happenings.append(Scenario.Happening(200, .fault(.kill(.look, .before), amount: 0)))
        },
        Script(
            "full-disk-in-a-dip",
            "the load falls, and is back while the disk is full: fewer only five minutes after it fell again",
            ticks: 720,
            ends: 0
        ) {
            Self.scale(&$0)
            $0.loads = [60: 200, 120: 1000, 340: 200]
            $0.outages[.journalOutage] = 100...360
        },
        Script(
            "nobody-answers",
            "every replica crashes for minutes: requests that fail at once are no lack of load",
            ticks: 700,
            ends: 0
        ) {
            Self.scale(&$0)
            $0.changes = [
                60: [Scenario.revision(0): Self.with { ($0.crashes, $0.startTicks) = (1, nil) }],
                400: [Scenario.revision(0): Scenario.Behaviour()],
            ]
        },
        Script(
            "room-for-some",
            "six GPUs are needed and one more is free: as many as fit are started",
            ticks: 120,
            ends: 0
        ) {
            Self.scale(&$0, gpus: 1)
            $0.capacity = Capacity(gpu: 5)
            $0.loads = [60: 1500]
        },
    ]

    private static func scale(_ scenario: inout Scenario, revisions: Int = 1, gpus: Int = 0) {
        scenario.serviceTime = .milliseconds(20)
        for number in 0..<revisions {
            var spec = Scenario.spec(number, policy: Self.policy)
            spec.autoscaling = Autoscaling(minReplicas: 2, maxReplicas: 8, targetConcurrency: 5)
            spec.resources = Resources(gpu: gpus)
            scenario.commits[20 * number] = .spec(spec)
        }
        if revisions == 1 { scenario.commits[20] = nil }
    }
}

import Deployments
import Reconciliation
import Rollouts
import Simulation
import Testing

/// What hostile worlds broke once, each as the shortest script that shows it.
@Suite
struct FoundBugTests {
    static let policy = RolloutPolicy(
        steps: [Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(10), atMost: .seconds(300))],
        gates: [.errors],
        bakeTime: .seconds(60),
        progressDeadline: .seconds(60)
    )

    static func scenario(ticks: Int = 80, _ change: (inout Scenario) -> Void) -> Scenario {
        var scenario = Scenario(traffic: 1000, ticks: ticks, quietFrom: ticks)
        scenario.commits[0] = .spec(Scenario.spec(0, policy: Self.policy))
        change(&scenario)
        return scenario
    }

    @Test
    func `the first table after a lost journal leaves every deployment its routes`() async {
        let scenario = Self.scenario { scenario in
            let both = [0, 1].map { Scenario.spec($0 * 16, of: Scenario.id($0), policy: Self.policy) }
            let changes = Dictionary(uniqueKeysWithValues: both.map { ($0.id, Scenario.Change.spec($0)) })
            scenario.commits[0] = Scenario.Commit(id: Scenario.commit(1), changes)
            scenario.happenings.append(.init(30, .fault(.journalLost, amount: 0)))
            scenario.happenings.append(.init(30, .fault(.kill(.look, .before), amount: 2)))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.served(of: Scenario.id(1)) == .all(to: Scenario.revision(16)))
    }

    @Test
    func `what serves keeps its route when its successor is taken back before anything was promoted`() async {
        let scenario = Self.scenario { scenario in
            scenario.outages[.routerOutage] = 6...30
            scenario.commits[12] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].artifact = .failed("no such file")
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.rollout(of: Scenario.id)?.stable == nil)
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
    }

    @Test
    func `a first revision that serves is not taken away when git goes back to one in quarantine`() async {
        let scenario = Self.scenario { scenario in
            // The first one is taken back as soon as it is ready, and its successor waits until git wants the first.
            scenario.commands[6] = [Command(.rollback(to: nil), by: "sre", why: "because")]
            scenario.commits[20] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.commands[22] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
            scenario.commits[24] = .spec(Scenario.spec(0, commit: 9, policy: Self.policy))
            scenario.commands[40] = [Command(.resume, by: "sre")]
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
    }

    @Test
    func `a removal that an operator must confirm still waits for it after a restart`() async {
        let scenario = Self.scenario { scenario in
            let both = [0, 1].map { Scenario.spec($0 * 16, of: Scenario.id($0), policy: Self.policy) }
            let changes = Dictionary(uniqueKeysWithValues: both.map { ($0.id, Scenario.Change.spec($0)) })
            scenario.commits[0] = Scenario.Commit(id: Scenario.commit(1), changes)
            scenario.commits[20] = Scenario.Commit(
                id: Scenario.commit(2),
                [Scenario.id: .absent],
                rewritesHistory: true
            )
            scenario.commits[24] = Scenario.Commit(id: Scenario.commit(3), [:])
            scenario.happenings.append(.init(28, .fault(.kill(.look, .before), amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run().filter { !$0.rule.hasPrefix("liveness") } == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
    }

    @Test
    func `a command that was refused for the journal is not obeyed after a restart`() async {
        let scenario = Self.scenario { scenario in
            scenario.happenings.append(.init(29, .fault(.journalAnswerLost, amount: 0)))
            scenario.commands[30] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
            scenario.happenings.append(.init(34, .fault(.kill(.look, .before), amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 30 { await world.step() }
        #expect(world.answers.map(\.isAccepted) == [false])
        #expect(await world.run() == [])
        #expect(world.rollout(of: Scenario.id)?.pause == nil)
    }

    @Test
    func `an outcome that could not be settled is not told again over a newer one`() async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.commits[10] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.commands[30] = [Command(.promote(full: true, force: true), by: "sre")]
            scenario.happenings.append(.init(30, .fault(.settleFails, amount: 0)))
            // Within the bake, so that the commit has two outcomes.
            scenario.commands[60] = [Command(.rollback(to: nil), by: "sre")]
            scenario.happenings.append(.init(80, .fault(.kill(.look, .before), amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        let kinds = world.transitions.map(\.transition).filter(\.isOutcome).map(\.kind)
        #expect(kinds == [.promoted, .promoted, .rolledBack])
    }

    @Test
    func `after a lost journal a canary is not taken for the first revision`() async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.happenings.append(.init(25, .fault(.journalLost, amount: 0)))
            scenario.happenings.append(.init(25, .fault(.kill(.append, .after), amount: 2)))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.served(of: Scenario.id)[Scenario.revision(0)] == TrafficWeight(percent: 95))
        #expect(world.rollout(of: Scenario.id)?.pause?.by == "controller")
    }

    @Test
    func `an abort on a full disk is obeyed also while the canary has no traffic yet`() async {
        let scenario = Self.scenario { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].startTicks = nil
            scenario.outages[.journalOutage] = 20...40
            scenario.commands[25] = [Command(.abort, by: "sre")]
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        let reason = world.rollout(of: Scenario.id)?.quarantine[Scenario.revision(1)]?.reason
        #expect(reason == .aborted(by: "sre", why: ""))
    }

    @Test
    func `what was taken back in the bake gets nothing again while the revision before cannot serve`() async {
        let scenario = Self.scenario { scenario in
            scenario.commits[10] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.commands[30] = [Command(.promote(full: true, force: true), by: "sre")]
            var crashing = Behaviour()
            crashing.crashes = 1
            scenario.changes[40] = [Scenario.revision(0): crashing, Scenario.revision(1): Behaviour(errors: 1)]
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.rollout(of: Scenario.id)?.quarantine.keys.map(\.self) == [Scenario.revision(1)])
        #expect(!world.served(of: Scenario.id).reaches(Scenario.revision(1)))
    }

    @Test
    func `a router that went back to a table without replicas is told once more`() async {
        let scenario = Self.scenario { scenario in
            // Both of them, so that the table between has none.
            scenario.happenings += [Scenario.Happening(20, .fault(.replicaCrash, amount: 0))]
            scenario.happenings += [Scenario.Happening(20, .fault(.replicaCrash, amount: 0))]
            scenario.happenings += [Scenario.Happening(40, .fault(.routerForgets, amount: 0))]
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 40 { await world.step() }
        #expect(world.served(of: Scenario.id).isEmpty)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
    }

    @Test
    func `a measurement that is answered between two steps and fails takes the canary back at once`() async {
        var policy = Self.policy
        policy.steps.append(Step(action: .weight(TrafficWeight(percent: 50)), atLeast: .seconds(10)))
        let query = ThresholdQuery(
            provider: "prometheus",
            query: "${revision}",
            maximum: 100,
            interval: .seconds(1),
            count: 3
        )
        policy.gates = [Gate(name: "load", kind: .threshold(query))]
        let scenario = Self.scenario { scenario in
            scenario.commits[10] = .spec(Scenario.spec(1, policy: policy))
            var loaded = Behaviour()
            loaded.load = 150
            scenario.changes[20] = [Scenario.revision(1): loaded]
            scenario.commands[20] = [Command(.promote(full: false, force: false), by: "lead")]
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 20 { await world.step() }
        #expect(world.answers.map(\.isAccepted) == [true])
        #expect(world.rollout(of: Scenario.id)?.quarantine.keys.first == Scenario.revision(1))
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    @Test
    func `a deployment is not forgotten by an old look at the platform, while its replicas run`() async {
        let scenario = Self.scenario { scenario in
            // They are started, and not seen again until the removal has begun.
            scenario.outages[.platformOutage] = 3...40
            scenario.commits[20] = .absent
            scenario.happenings.append(.init(22, .prune(Scenario.id)))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.rollout(of: Scenario.id) == nil)
    }

    @Test(arguments: [308_606, 13273] as [UInt64])
    func `a removal that an operator confirms early leaves no replica behind`(seed: UInt64) async {
        var world = World(scenario: .hostile(seed: seed), seed: seed)
        #expect(await world.run() == [])
    }

    @Test
    func `a canary that loses every replica in its promotion leaves its users to stable`() async {
        var policy = Self.policy
        // With one, stable has a part of the traffic, and takes over the rest.
        policy.holdback = .none
        let scenario = Self.scenario(ticks: 160) { scenario in
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[10] = .spec(Scenario.spec(1, policy: policy))
            scenario.commands[30] = [Command(.promote(full: true, force: true), by: "sre")]
            // The promotion is not seen to be over.
            scenario.outages[.routerOutage] = 31...45
            // Not ready any more, though none of them ended.
            var stuck = Behaviour()
            (stuck.flaps, stuck.startTicks) = (1, nil)
            scenario.changes[33] = [Scenario.revision(1): stuck]
            scenario.changes[46] = [Scenario.revision(1): Behaviour()]
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 40 { await world.step() }
        #expect(world.rollout(of: Scenario.id)?.phase == .promoting)
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    static let replacement: RolloutPolicy = {
        var policy = Self.policy
        policy.strategy = .recreate
        policy.steps = []
        return policy
    }()

    @Test
    func `stable's place is not cleared for a canary whose artifact was lost meanwhile`() async {
        let scenario = Self.scenario(ticks: 160) { scenario in
            scenario.commits[0] = .spec(Scenario.spec(0, policy: Self.replacement))
            scenario.commits[20] = .spec(Scenario.spec(1, policy: Self.replacement))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].fetchTicks = 10
            // What it is asked when the artifact has come.
            scenario.happenings.append(.init(31, .fault(.routerRejects, amount: 0)))
            // Stable's, then the canary's.
            for _ in 0..<2 { scenario.happenings.append(.init(32, .fault(.artifactLost, amount: 0))) }
        }
        var world = World(scenario: scenario, seed: 1)
        // Until it is here once more.
        while world.time < 41 { await world.step() }
        #expect(world.rollout(of: Scenario.id)?.phase == .replacing)
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(1)))
    }

    /// During an outage by an old look, and right after one because the router was not told of it yet.
    @Test(arguments: [Strategy.recreate, .canary])
    func `a canary is not taken back for the time in which nobody could see it`(strategy: Strategy) async {
        var policy = strategy == .recreate ? Self.replacement : Self.policy
        policy.strategy = strategy
        let scenario = Self.scenario(ticks: 300) { scenario in
            scenario.traffic = 20_000
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].startTicks = 10
            // From before it is ready until long after its deadline.
            scenario.outages[.platformOutage] = 29...100
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(1)))
        #expect(world.rollout(of: Scenario.id)?.quarantine == [:])
    }

    /// The controller was killed, and the disk was full for as long as it did not know the load.
    static var unseenLoad: Scenario {
        var scenario = Scenario(traffic: 60, ticks: 100)
        scenario.serviceTime = .milliseconds(100)
        var spec = Scenario.spec(0, policy: RolloutPolicy())
        spec.autoscaling = Autoscaling(
            minReplicas: 2,
            maxReplicas: 6,
            targetConcurrency: 1,
            scaleDownAfter: .seconds(40)
        )
        scenario.commits[0] = .spec(spec)
        scenario.loads = [40: 4]
        scenario.outages = [.journalOutage: 56...70]
        scenario.happenings.append(Scenario.Happening(55, .fault(.kill(.look, .before), amount: 0)))
        return scenario
    }

    @Test
    func `git is told of an outcome what is journaled, whatever an operator did between two tries`() async {
        let scenario = Self.scenario { scenario in
            scenario.commits[20] = .spec(Scenario.spec(1, policy: Self.policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].startTicks = 30
            // Without traffic yet, it is away at once. It is journaled, and the controller does not know; before it
            // tries again, the quarantine that git was to be told of is lifted.
            scenario.commands[30] = [
                Command(.rollback(to: nil), by: "sre", why: "because"), Command(.retry, by: "sre"),
            ]
            scenario.happenings.append(.init(30, .fault(.journalAnswerLost, amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.transitions.contains { $0.transition.kind == .rolledBack })
        #expect(world.transitions.contains { $0.transition.kind == .retried })
    }

    @Test
    func `a revert stands although the same decision holds an operator's word to try again`() async {
        let scenario = Self.scenario { scenario in
            var policy = Self.policy
            policy.revert = .push
            scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].startTicks = 30
            scenario.commands[30] = [
                Command(.rollback(to: nil), by: "sre", why: "because"), Command(.retry, by: "sre"),
            ]
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.transitions.contains { $0.transition.revert != nil })
        #expect(world.transitions.contains { $0.transition.kind == .retried })
    }

    @Test
    func `a time in which the load was not known counts for no scaling down, also when nothing could be journaled`()
        async
    {
        var world = World(scenario: Self.unseenLoad, seed: 1)
        #expect(await world.run() == [])
        #expect(world.rollout(of: Scenario.id)?.stable?.replicas == 6)
    }

    /// Another deployment beside ``Scenario/id``, in a repository of its own.
    static func commitOfAnother(_ revision: Int, _ number: Int) -> Scenario.Commit {
        let spec = Scenario.spec(16 + revision, of: Scenario.id(1), policy: Self.policy)
        return Scenario.Commit(id: Scenario.commit(number), source: 1, [spec.id: .spec(spec)])
    }

    @Test(arguments: [false, true])
    func `a lost journal takes no route away while git cannot be read`(isKilledAgain: Bool) async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.sources = 2
            scenario.happenings.append(.init(1, .commit(Self.commitOfAnother(0, 2))))
            scenario.happenings.append(.init(30, .fault(.journalLost, amount: 0)))
            scenario.happenings.append(.init(30, .fault(.kill(.look, .before), amount: 0)))
            scenario.happenings.append(.init(30, .fault(.gitOutage, amount: 31)))
            // The journal of its successor holds what one repository said, and nothing of the other.
            if isKilledAgain {
                scenario.happenings.append(.init(61, .fault(.kill(.append, .after), amount: 0)))
                scenario.happenings.append(.init(62, .fault(.gitOutage, amount: 20)))
            }
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 58 { await world.step() }
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
        #expect(world.served(of: Scenario.id(1)) == .all(to: Scenario.revision(16)))
        #expect(await world.run().map(\.description) == [])
        #expect(world.served(of: Scenario.id(1)) == .all(to: Scenario.revision(16)))
    }

    @Test
    func `a lost journal takes no route away of what is broken in git, and goes on once it is mended`() async {
        let scenario = Self.scenario(ticks: 500) { scenario in
            scenario.sources = 2
            scenario.happenings.append(.init(1, .commit(Self.commitOfAnother(0, 2))))
            let broken = Scenario.Commit(id: Scenario.commit(3), source: 1, [Scenario.id(1): .broken])
            scenario.happenings.append(.init(28, .commit(broken)))
            scenario.happenings.append(.init(30, .fault(.journalLost, amount: 0)))
            scenario.happenings.append(.init(30, .fault(.kill(.look, .before), amount: 0)))
            scenario.happenings.append(.init(50, .commit(.spec(Scenario.spec(1, policy: Self.policy)))))
            scenario.happenings.append(.init(70, .commit(Self.commitOfAnother(0, 4))))
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 68 { await world.step() }
        #expect(world.served(of: Scenario.id(1)) == .all(to: Scenario.revision(16)))
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
        #expect(world.rollout(of: Scenario.id)?.isInFlight == true)
        #expect(await world.run().map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(1)))
    }

    @Test
    func `what git gives back while it drains is not spared once more of it`() async {
        let scenario = Self.scenario(ticks: 300) { scenario in
            scenario.tick = .seconds(2)
            let four = Scenario.spec(0, replicas: 4, policy: Self.policy)
            let another = Scenario.spec(16, of: Scenario.id(1), policy: Self.policy)
            let both: [DeploymentID: Scenario.Change] = [four.id: .spec(four), another.id: .spec(another)]
            scenario.commits[0] = Scenario.Commit(id: Scenario.commit(1), both)
            scenario.happenings.append(.init(22, .commit(.absent)))
            // One of the four.
            scenario.happenings.append(.init(28, .fault(.effectFails, amount: 0)))
            scenario.happenings.append(.init(29, .commit(.spec(Scenario.spec(1, policy: Self.policy)))))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run().map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(1)))
    }

    /// The checker's: it counted twice what was drained and stopped while nobody could look.
    @Test(arguments: 26...36)
    func `what an exchange drained and stopped out of sight is gone once`(tick: Int) async {
        var exchange = Self.policy
        exchange.surge = 25
        exchange.steps = [25, 50, 75].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(8), atMost: .seconds(60))
        }
        let scenario = Self.scenario(ticks: 200) { [exchange] scenario in
            scenario.tick = .seconds(2)
            scenario.commits[0] = .spec(Scenario.spec(0, replicas: 4, policy: exchange))
            scenario.commits[20] = .spec(Scenario.spec(2, replicas: 4, policy: exchange))
            scenario.outages[.platformOutage] = tick...tick + 6
            scenario.commits[tick + 2] = .spec(Scenario.spec(1, policy: Self.policy))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    /// A replica that was had back, without an answer, is ready maybe: it is not stopped as one that has drained.
    @Test(arguments: 32...37)
    func `what may have been had back is drained anew before it is stopped`(tick: Int) async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            var policy = Self.policy
            policy.strategy = .recreate
            policy.steps = []
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[30] = .spec(Scenario.spec(1, policy: policy))
            scenario.commits[tick] = .spec(Scenario.spec(2, policy: policy))
            // One of two replicas is had back, and the next controller finds the other one.
            scenario.happenings.append(.init(20, .fault(.kill(.undrain, .after), amount: 12)))
            scenario.happenings.append(.init(tick + 6, .fault(.effectAnswerLost, amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    /// A replica that was stopped, without an answer, is stopped maybe: no other is drained in its place.
    @Test(arguments: 41...46)
    func `a replica that may have been stopped is not counted on, whatever an old look shows`(tick: Int) async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.commits[0] = .spec(Scenario.spec(0, replicas: 3, policy: Self.policy))
            scenario.commits[40] = .spec(Scenario.spec(0, commit: 9, replicas: 2, policy: Self.policy))
            scenario.happenings.append(.init(tick - 3, .fault(.replicaFlap, amount: 3)))
            scenario.happenings.append(.init(30, .fault(.effectAnswerLost, amount: 0)))
            scenario.outages[.lateLooks] = tick - 3...tick + 3
        }
        for seed in UInt64(1)...8 {
            var world = World(scenario: scenario, seed: seed)
            let broken = await world.run()
            #expect(broken.map(\.description) == [])
        }
    }
}

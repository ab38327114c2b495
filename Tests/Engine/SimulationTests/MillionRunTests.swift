import Deployments
import Reconciliation
import Rollouts
import Simulation
import Testing

/// What the first million of hostile worlds broke, each as the shortest script that shows it.
@Suite
struct MillionRunTests {
    private static func both(_ first: Int, _ second: Int, commit: Int, rewrites: Bool = false) -> Scenario.Commit {
        let policy = FoundBugTests.policy
        let specs = [(0, first), (1, 16 + second)].map { Scenario.spec($1, of: Scenario.id($0), policy: policy) }
        let changes = Dictionary(uniqueKeysWithValues: specs.map { ($0.id, Scenario.Change.spec($0)) })
        return Scenario.Commit(id: Scenario.commit(commit), changes, rewritesHistory: rewrites)
    }

    @Test
    func `what git took back and wants again starts over in the decision that ends its way back`() async {
        let scenario = FoundBugTests.scenario(ticks: 200) { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: FoundBugTests.policy))
            scenario.commits[30] = .spec(Scenario.spec(0, commit: 2, policy: FoundBugTests.policy))
            // Its way back is not seen to be over before git wants it again.
            scenario.outages[.routerOutage] = 31...34
            scenario.commits[33] = .spec(Scenario.spec(1, commit: 3, policy: FoundBugTests.policy))
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 33 { await world.step() }
        #expect(world.rollout(of: Scenario.id)?.phase == .rollingBack(.cancelled))
        #expect(await world.run() == [])
        #expect(world.rollout(of: Scenario.id)?.stable?.revision == Scenario.revision(1))
    }

    @Test
    func `a first revision that git goes back from serves on when what git names is in quarantine`() async {
        let scenario = FoundBugTests.scenario(ticks: 100) { scenario in
            scenario.commits[0] = Self.both(0, 0, commit: 1)
            scenario.commands[5] = [Command(.rollback(to: nil), by: "sre", why: "because")]
            scenario.commits[20] = .spec(Scenario.spec(2, policy: FoundBugTests.policy))
            // When the router was just asked for it; the other one's new revision has the router told once more.
            scenario.commits[24] = Self.both(0, 1, commit: 5)
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.transitions.contains { $0.transition.kind == .superseded })
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(2)))
    }

    @Test
    func `a router that refused the table before a first revision had traffic is told once more`() async {
        let scenario = FoundBugTests.scenario { scenario in
            // One for the table that holds the replicas as they start, one for that in which they are ready.
            for tick in 3...6 { scenario.happenings.append(.init(tick, .fault(.routerRejects, amount: 0))) }
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
    }

    @Test
    func `a table that the router refused is told again while an older one still serves`() async {
        let scenario = FoundBugTests.scenario(ticks: 60) { scenario in
            // It is told that no replica is left and takes that only later; that one is back, it refuses.
            scenario.happenings.append(.init(20, .fault(.routerSlow, amount: 12)))
            for _ in 0..<2 { scenario.happenings.append(.init(20, .fault(.replicaCrash, amount: 0))) }
            scenario.happenings.append(.init(22, .fault(.routerRejects, amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run().map(\.description) == [])
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
    }

    @Test
    func `git is told both of two outcomes of one moment`() async {
        let scenario = FoundBugTests.scenario { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: FoundBugTests.policy))
            scenario.revisions[Scenario.revision(1), default: Behaviour()].startTicks = 20
            scenario.commands[20] = [
                Command(.rollback(to: nil), by: "sre"), Command(.retry, by: "lead"), Command(.abort, by: "sre"),
            ]
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.transitions.count { $0.transition.kind == .rolledBack } == 2)
    }

    private static let crashing: Behaviour = {
        var behaviour = Behaviour()
        (behaviour.crashes, behaviour.startTicks) = (1, 1)
        return behaviour
    }()

    /// The third commit brings another revision, or goes back to the first.
    @Test(arguments: [2, 0], 26...36)
    func `what was superseded or cancelled serves while stable has no replica`(third: Int, tick: Int) async {
        let scenario = FoundBugTests.scenario(ticks: 400) { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: FoundBugTests.policy))
            scenario.commits[30] = .spec(Scenario.spec(third, commit: 3, policy: FoundBugTests.policy))
            scenario.outages[.routerOutage] = 31...33
            scenario.changes[tick] = [Scenario.revision(0): Self.crashing]
            scenario.changes[tick + 4] = [Scenario.revision(0): Behaviour()]
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    @Test(arguments: 90...110)
    func `the revision before serves while stable crashes as its bake ends`(tick: Int) async {
        let scenario = FoundBugTests.scenario(ticks: 250) { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: FoundBugTests.policy))
            scenario.commands[30] = [Command(.promote(full: true, force: true), by: "sre")]
            scenario.changes[tick] = [Scenario.revision(1): Self.crashing]
            scenario.changes[tick + 4] = [Scenario.revision(1): Behaviour()]
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
    }

    @Test
    func `a way back goes on while a freeze keeps what is new from starting`() async {
        let scenario = FoundBugTests.scenario(ticks: 200) { scenario in
            scenario.commits[12] = .spec(Scenario.spec(1, policy: FoundBugTests.policy))
            scenario.commands[30] = [Command(.promote(full: true, force: true), by: "sre")]
            scenario.commands[110] = [Command(.rollback(to: nil), by: "sre", why: "wrong labels")]
            // It stays without traffic until the router is seen again.
            scenario.outages[.routerOutage] = 111...125
            let schedule = FreezeWindow.Schedule.once(
                from: Scenario.begin + .seconds(115),
                until: Scenario.begin + .seconds(150)
            )
            scenario.freezes = [FreezeWindow(name: "night", schedule: schedule)]
            scenario.commits[118] = .spec(Scenario.spec(2, policy: FoundBugTests.policy))
        }
        var world = World(scenario: scenario, seed: 1)
        while world.time < 121 { await world.step() }
        #expect(world.rollout(of: Scenario.id)?.canary?.revision == Scenario.revision(0))
        while world.time < 140 { await world.step() }
        #expect(world.served(of: Scenario.id) == .all(to: Scenario.revision(0)))
        #expect(await world.run() == [])
        #expect(world.rollout(of: Scenario.id)?.stable?.revision != Scenario.revision(1))
    }

    @Test
    func `a removal by rewritten history waits for an operator also when that could not be journaled`() async {
        let scenario = FoundBugTests.scenario { scenario in
            scenario.commits[0] = Self.both(0, 0, commit: 1)
            scenario.outages[.journalOutage] = 20...36
            var rewriting = Scenario.Commit(id: Scenario.commit(2), [Scenario.id: .absent], rewritesHistory: true)
            rewriting.changes[Scenario.id(1)] = .spec(
                Scenario.spec(17, of: Scenario.id(1), commit: 2, policy: FoundBugTests.policy)
            )
            scenario.commits[24] = rewriting
            scenario.happenings.append(.init(28, .fault(.kill(.look, .before), amount: 0)))
            let next = Scenario.spec(18, of: Scenario.id(1), commit: 3, policy: FoundBugTests.policy)
            scenario.commits[27] = Scenario.Commit(id: Scenario.commit(3), [Scenario.id(1): .spec(next)])
        }
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run().filter { !$0.rule.hasPrefix("liveness") } == [])
        #expect(world.rollout(of: Scenario.id)?.phase == .settled)
    }
}

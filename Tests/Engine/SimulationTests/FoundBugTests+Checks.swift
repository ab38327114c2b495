import Deployments
import Reconciliation
import Rollouts
import Simulation
import Testing

/// Where what broke a rule was the check of it, which asked for more than the rule.
extension FoundBugTests {
    /// The checker's: nobody can know of a table that the router went back to since it was seen last.
    @Test(arguments: 41...47)
    func `what drained and is stopped at the second try may be served by a table of that very moment`(tick: Int) async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.commits[0] = .spec(Scenario.spec(0, replicas: 4, policy: Self.policy))
            scenario.commits[40] = .spec(Scenario.spec(0, commit: 9, replicas: 2, policy: Self.policy))
            scenario.happenings.append(.init(tick, .fault(.effectFails, amount: 0)))
            scenario.happenings.append(.init(tick + 1, .fault(.routerForgets, amount: 0)))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    /// The checker's: what was gone when git was read, after a lost journal, is not wanted for a file that cannot be
    /// read since. The router did not take the table without it until then.
    @Test(arguments: 33...38)
    func `what git does not hold loses its routes after a lost journal, whatever a broken file may hold`(
        tick: Int
    ) async {
        let scenario = Self.scenario { scenario in
            let both = [0, 1].map { Scenario.spec($0 * 16, of: Scenario.id($0), policy: Self.policy) }
            let changes = Dictionary(uniqueKeysWithValues: both.map { ($0.id, Scenario.Change.spec($0)) })
            scenario.commits[0] = Scenario.Commit(id: Scenario.commit(1), changes)
            scenario.happenings.append(.init(30, .fault(.routerRejects, amount: 0)))
            scenario.happenings.append(.init(30, .fault(.journalLost, amount: 0)))
            scenario.happenings.append(.init(30, .fault(.kill(.look, .before), amount: 2)))
            scenario.commits[30] = Scenario.Commit(id: Scenario.commit(2), [Scenario.id(1): .absent])
            scenario.commits[tick] = Scenario.Commit(id: Scenario.commit(3), [Scenario.id(1): .unreadable])
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id(1)).isEmpty)
    }

    /// The checker's: a step's time begins with its first request, which ends the hold for want of evidence.
    @Test(arguments: [340, 350, 360, 370])
    func `a step whose first request comes late is not stuck as long as it has time`(ticks: Int) async {
        let scenario = Self.scenario(ticks: ticks) { scenario in
            var policy = Self.policy
            let marked = HeaderMatches([.init(name: "x-canary", value: .present)])
            policy.steps = [Step(action: .match(marked), atLeast: .seconds(10), atMost: .seconds(60))]
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[30] = .spec(Scenario.spec(1, policy: policy))
            scenario.traffic = 1
        }
        var world = World(scenario: scenario, seed: 6)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.rollout(of: Scenario.id(0))?.phase.name == "stepping")
        #expect(world.rollout(of: Scenario.id(0))?.holds.isEmpty == true)
    }

    /// The checker's: what a killed controller could not journal is forgotten also of a deployment that came with its
    /// very last poll.
    @Test(arguments: 6...9)
    func `a rollback that a full disk and a kill made forgotten is decided anew`(down: Int) async {
        var scenario = Self.scenario(ticks: 160) { scenario in
            scenario.happenings.append(.init(1, .fault(.kill(.fetch, .before), amount: down)))
            scenario.happenings.append(.init(1, .fault(.kill(.route, .after), amount: 1)))
            scenario.outages[.journalOutage] = 7...14
            scenario.happenings.append(.init(10, .fault(.clockForward, amount: 70)))
        }
        scenario.pollEvery = 5
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
    }

    /// The checker's: a first revision that was taken back, and is wanted again at once, begins without traffic.
    @Test(arguments: 5...12)
    func `a first revision that is retried right after its rollback begins anew`(tick: Int) async {
        let scenario = Self.scenario(ticks: 120) { scenario in
            scenario.outages[.lateLooks] = 5...20
            let rollback = Command(.rollback(to: nil), by: "operator", why: "because")
            let retry = Command(.retry, by: "operator", why: "because")
            scenario.happenings.append(.init(tick, .command(Scenario.id(0), rollback)))
            scenario.happenings.append(.init(tick, .command(Scenario.id(0), retry)))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id(0)) == .all(to: Scenario.revision(0)))
    }

    /// The checker's: so does what was to go, before anything of it was promoted, and came back.
    @Test(arguments: 24...28)
    func `what comes back while it is removed begins anew where nothing was promoted`(tick: Int) async {
        let scenario = Self.scenario(ticks: 160) { scenario in
            scenario.outages[.routerOutage] = 6...60
            scenario.commits[10] = .absent
            scenario.happenings.append(.init(16, .fault(.routerRejects, amount: 0)))
            scenario.happenings.append(.init(22, .prune(Scenario.id(0))))
            scenario.commits[tick] = .spec(Scenario.spec(1, commit: 9, policy: Self.policy))
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id(0)) == .all(to: Scenario.revision(1)))
    }

    /// The checker's: what a replacement asked of a slow router may come when the replacement was given up.
    @Test(arguments: 22...25)
    func `a table without traffic may come after the replacement that needed it was given up`(abort: Int) async {
        let scenario = Self.scenario(ticks: 160) { scenario in
            var policy = Self.policy
            policy.strategy = .recreate
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[18] = .spec(Scenario.spec(1, policy: policy))
            scenario.happenings.append(.init(20, .fault(.routerSlow, amount: 5)))
            scenario.happenings.append(.init(21, .fault(.routerForgets, amount: 0)))
            scenario.commands[abort] = [Command(.abort, by: "sre", why: "because")]
        }
        var world = World(scenario: scenario, seed: 1)
        let broken = await world.run()
        #expect(broken.map(\.description) == [])
        #expect(world.served(of: Scenario.id(0)) == .all(to: Scenario.revision(0)))
    }
}

import Analysis
import ControllerAPI
import ControllerServer
import Decisions
import Deployments
import Foundation
import Reconciliation
import Rollouts
import Simulation
import Synchronization
import Testing

/// What the API says would happen next, at every moment of scripted rollouts.
@Suite("What happens next")
struct OutlookTests {
    private final class Log: Sendable {
        let decisions = Mutex<[Decision]>([])
    }

    static let policy = RolloutPolicy(
        steps: [
            Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(10), atMost: .seconds(300)),
            Step(action: .approval),
            Step(action: .weight(TrafficWeight(percent: 50)), atLeast: .seconds(10), atMost: .seconds(300)),
        ],
        gates: [.errors, .latency(below: .milliseconds(250))],
        bakeTime: .seconds(60),
        progressDeadline: .seconds(90)
    )

    /// The status after every decision of a world.
    static func statuses(_ change: (inout Scenario) -> Void = { _ in }) async -> [(Rollout, DeploymentStatus)] {
        await Self.snapshots(change).map { ($0, FleetStatus($1).deployments[0]) }
    }

    /// What is known after every decision of a world.
    static func snapshots(_ change: (inout Scenario) -> Void = { _ in }) async -> [(Rollout, FleetSnapshot)] {
        var scenario = Scenario(traffic: 1000, ticks: 600)
        scenario.commits[0] = .spec(Scenario.spec(0, policy: Self.policy))
        scenario.commits[20] = .spec(Scenario.spec(1, policy: Self.policy))
        scenario.commands[200] = [Command(.promote(full: false, force: false), by: "lead")]
        change(&scenario)
        let log = Log()
        let functions = DecisionFunctions(handle: { rollout, situation, now in
            let decision = Decision(of: rollout, in: situation, at: now)
            log.decisions.withLock { $0.append(decision) }
            rollout = decision.after
            return decision.outcome
        })
        var world = World(scenario: scenario, seed: 1, functions: functions)
        _ = await world.run()
        return log.decisions.withLock { $0 }.map { decision in
            var fleet = FleetSnapshot(time: decision.time)
            fleet.deployments[decision.deployment] = DeploymentSnapshot(
                member: Member(rollout: decision.after),
                observation: decision.situation.observation,
                requestsInFlight: decision.situation.load?.requests
            )
            return (decision.after, fleet)
        }
    }

    static func date(_ time: Timestamp) -> Date { Date(timeIntervalSince1970: Double(time.milliseconds) / 1000) }

    @Test
    func `in every phase there is something to say`() async {
        var seen: Set<String> = []
        for (rollout, status) in await Self.statuses() {
            seen.insert(status.phase)
            #expect(!status.next.isEmpty, "\(status.phase)")
            // A first revision has nothing to go back to.
            if rollout.stable != nil, rollout.isInFlight || rollout.phase == .baking {
                #expect(!status.rollsBackIf.isEmpty, "\(status.phase)")
            }
        }
        #expect(seen.isSuperset(of: ["preparing", "stepping", "promoting", "baking", "settled"]))
    }

    @Test
    func `one deployment's status is that of the fleet`() async throws {
        for (rollout, snapshot) in await Self.snapshots() {
            var (fleet, one) = (FleetStatus(snapshot), try #require(DeploymentStatus(rollout.id, in: snapshot)))
            let ledger = WebhookLedger(repositories: [try #require(rollout.desired).origin.repository])
            fleet.add(ledger)
            one.add(ledger, at: fleet.time)
            #expect(fleet.deployments == [one])
            #expect(one.sources.contains { $0.hasPrefix("webhook ") })
            #expect(DeploymentStatus(DeploymentID(namespace: "nobody", name: "x"), in: snapshot) == nil)
        }
    }

    @Test
    func `what a time decides comes with that time`() async throws {
        let statuses = await Self.statuses()
        let baking = try #require(statuses.first { $0.0.phase == .baking })
        #expect(baking.1.next.map(\.at) == [Self.date(baking.0.since + .seconds(60))])
        let preparing = try #require(statuses.last { $0.0.phase == .preparing })
        #expect(preparing.1.next.contains { $0.at == Self.date(preparing.0.since + .seconds(90)) })
        let judging = try #require(
            statuses.first { if case .stepping(0, .some) = $0.0.phase { true } else { false } }
        )
        guard case .stepping(_, .some(let served)) = judging.0.phase else { return }
        #expect(judging.1.next.first?.at == Self.date(served + .seconds(10)))
        #expect(judging.1.next.last?.at == Self.date(served + .seconds(300)))
        #expect(judging.1.rollsBackIf.contains { $0.contains("gate errors") && $0.contains("% of the evidence") })
        let later = try #require(statuses.first { !$0.1.next.filter(\.isEstimate).isEmpty })
        #expect(later.1.next.first { $0.isEstimate }?.what.contains("expected to pass") == true)
    }

    @Test
    func `another tool's rule says what it gives up`() async throws {
        var policy = Self.policy
        policy.gates = [Gate(name: "success-rate", kind: .preset(.flagger(FlaggerRule())))]
        let statuses = await Self.statuses { scenario in
            scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
            scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
        }
        let judging = try #require(
            statuses.first { if case .stepping(0, .some) = $0.0.phase { true } else { false } }
        )
        let rule = "gate success-rate fails by flagger's rule: 5 failed checks of"
        let found = try #require(judging.1.rollsBackIf.first { $0.hasPrefix(rule) })
        #expect(found.contains("no bound on false rollbacks"))
        #expect(judging.1.gates.first?.detail?.contains("flagger's rule") == true)
    }

    @Test
    func `what stands in for a stable revision without replicas is named, and what ends that`() async throws {
        let statuses = await Self.statuses { scenario in
            // While the rollout waits for an approval, stable crashes and git goes back to it.
            var down = Scenario.Behaviour()
            (down.crashes, down.startTicks) = (1, nil)
            scenario.changes[100] = [Scenario.revision(0): down]
            scenario.commits[110] = .spec(Scenario.spec(0, commit: 9, policy: Self.policy))
        }
        let standing = try #require(statuses.last { $0.1.phase == "rolling-back" })
        let words = standing.1.next.map(\.what)
        #expect(words.first?.hasPrefix("model 1 (main@sha1:11111111) stands in for model 0 (main@sha1:") == true)
        #expect(words.first?.hasSuffix("git does not want it any more, but it has not failed") == true)
        #expect(words.contains { $0.contains("has a ready replica, it gets all traffic") })
    }

    @Test
    func `an approval names who is waited for, a pause what ends it`() async throws {
        let statuses = await Self.statuses { scenario in
            scenario.commands[60] = [Command(.pause(until: nil), by: "alice", why: "lunch")]
            scenario.commands[70] = [Command(.resume, by: "alice")]
        }
        let approval = try #require(statuses.first { $0.1.holds.contains { $0.kind == "approval" } })
        #expect(approval.1.next.map(\.what).contains { $0.contains("controller promote default/model") })
        let paused = try #require(statuses.first { $0.0.pause != nil })
        #expect(paused.1.next.first?.what == "nothing goes forward until `controller resume default/model`")
        let hold = try #require(paused.1.holds.first { $0.kind == "paused" })
        #expect(hold.since == paused.0.pause.map { Self.date($0.since) })
    }

    @Test
    func `a journal that cannot be written holds what is in flight, and says so`() async throws {
        let (rollout, _) = try #require(await Self.statuses().first { $0.0.isInFlight })
        var fleet = FleetSnapshot(time: rollout.since)
        fleet.journalProblem = "the disk is full"
        fleet.deployments[rollout.id] = DeploymentSnapshot(member: Member(rollout: rollout), observation: Observation())
        let status = FleetStatus(fleet).deployments[0]
        #expect(status.holds.first?.kind == "journal")
        #expect(status.holds.first?.why == "the disk is full")
        #expect(status.next.first?.what.hasPrefix("nothing goes forward while it is held") == true)
    }

    @Test
    func `after a rollback it is the quarantine that is said to stand in the way`() async throws {
        let statuses = await Self.statuses { $0.revisions[Scenario.revision(1)] = Scenario.Behaviour(errors: 0.5) }
        #expect(statuses.contains { $0.1.phase == "rolling-back" })
        let end = try #require(statuses.last)
        #expect(end.1.phase == "settled")
        #expect(end.1.next.first?.what.hasPrefix("nothing, until a commit with another revision") == true)
        #expect(end.1.desiredRevision == end.1.quarantined.first?.revision)
    }

    @Test
    func `what is autoscaled says what it needs, and when fewer are left`() async throws {
        let statuses = await Self.statuses { scenario in
            scenario.serviceTime = .milliseconds(20)
            for number in 0...1 {
                var spec = Scenario.spec(number, policy: Self.policy)
                spec.autoscaling = Autoscaling(minReplicas: 2, maxReplicas: 3, targetConcurrency: 5)
                scenario.commits[20 * number] = .spec(spec)
            }
            scenario.loads = [450: 200]
        }
        let first = try #require(statuses.first { $0.1.phase == "preparing" }?.1.autoscaling)
        #expect(first.replicas == 2 && first.requestsInFlight == nil && first.neededReplicas == nil)
        let busy = try #require(statuses.first { $0.1.phase == "stepping" }?.1.autoscaling)
        #expect(busy.requestsInFlight == 20 && busy.neededReplicas == 4)
        #expect(busy.replicas == 3 && busy.maxReplicas == 3, "whatever is needed")
        #expect(busy.isHeldStill)
        let (rollout, calm) = try #require(statuses.first { $0.0.surplus != nil })
        let surplus = try #require(rollout.surplus?.first)
        #expect(calm.autoscaling?.isHeldStill == false)
        #expect(calm.autoscaling?.fewerReplicas == 2)
        #expect(calm.autoscaling?.fewerAt == Self.date(surplus.since + .minutes(5)))
        let what = "it is scaled down to 2 replicas, unless more are needed until then"
        #expect(calm.next.contains { $0.what == what && $0.at == calm.autoscaling?.fewerAt })
    }

    @Test
    func `what somebody must say yes to is told before it is asked and while it is`() async throws {
        var policy = Self.policy
        policy.steps.remove(at: 1)
        let board = Gate(name: "board", kind: .webhook(WebhookQuery(provider: "prometheus", interval: .seconds(5))))
        policy.signOffs = SignOffs(
            beforeRollout: SignOff(gates: [board]),
            beforePromotion: SignOff(needsApproval: true),
            afterPromotion: SignOff(gates: [board])
        )
        let statuses = await Self.statuses { [policy] scenario in
            scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
            scenario.commands = [300: [Command(.promote(full: false, force: false), by: "lead")]]
        }
        let next = statuses.flatMap(\.1.next).map(\.what)
        #expect(next.contains { $0.hasSuffix("starts once it has gate board") })
        #expect(next.contains { $0.hasPrefix("promotion to all traffic once it has an approval follows") })
        #expect(next.contains { $0.hasPrefix("the bake ends once it has gate board and ") })
        #expect(statuses.contains { $0.1.rollsBackIf.contains("gate board says no after the promotion") })
        let asked = try #require(statuses.compactMap { $0.1.signOffs?.first }.first { $0.place == "beforePromotion" })
        #expect(asked.needsApproval)
        #expect(asked.approvedBy == nil)
        let held = try #require(statuses.first { $0.1.holds.contains { $0.kind == "sign-off" } }).1
        #expect(held.health == .held)
        #expect(statuses.last?.1.stable?.revision == Scenario.revision(1).digest)
    }
}

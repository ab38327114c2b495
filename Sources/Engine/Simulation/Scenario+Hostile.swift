import Deployments
import Rollouts

extension Scenario {
    /// A hostile world: one in which anything that the ports allow may happen, until it turns quiet. One in eight has
    /// much traffic and no faults instead, so that the controller has no excuse.
    package static func hostile(seed: UInt64) -> Scenario {
        var dice = Dice(seed: seed)
        let isCalm = dice.chance(0.125)
        let seconds = dice.chance(0.02) ? 1 : 2
        // Short ones show what comes of much at once, and there is time for more of them; long ones what comes later.
        let quiet = dice.pick([60, 60, 90, 90, 90, 150]) / seconds
        var scenario = Scenario(
            traffic: isCalm ? 2000 : dice.pick([5, 20, 60, 400, 1000]),
            ticks: quiet + 400 / seconds,
            quietFrom: quiet
        )
        scenario.tick = .seconds(seconds)
        scenario.endsAtRest = true
        scenario.pollEvery = dice.pick([1, 3, 5])
        let count = isCalm ? dice.pick(1...2) : dice.pick([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 4])
        if count > 1, dice.chance(0.3) { scenario.sources = 2 }
        var push = Pushes(ticks: (0..<5).map { _ in dice.pick(8...quiet - 10) })
        for number in 0..<count {
            scenario.declare(number, isCalm: isCalm, &push, &dice)
        }
        if !isCalm { scenario.trouble(count, &push, &dice) }
        scenario.happenings += push.happenings(&dice, isCalm: isCalm)
        scenario.autoscale(count, seed: seed, isCalm: isCalm)
        scenario.slowDown(count, seed: seed, isCalm: isCalm)
        scenario.countWrong(count, seed: seed, isCalm: isCalm)
        scenario.judgeByOthers(count, seed: seed)
        scenario.revertInGit(count, seed: seed)
        scenario.signOff(count, seed: seed, isCalm: isCalm)
        // Whatever an operator paused is resumed once the world is quiet, and what is gone is meant to be.
        for number in 0..<count where !isCalm {
            let resume = Command(.resume, by: "simulator")
            scenario.happenings.append(Happening(quiet + 1, .command(Self.id(number), resume)))
            scenario.happenings.append(Happening(quiet + 8, .prune(Self.id(number))))
        }
        return scenario
    }

    /// Changes, gathered to commits: those of one repository in one tick are one commit.
    private struct Pushes {
        /// When commits come, but for the first ones.
        let ticks: [Int]
        private var changes: [Place: [DeploymentID: Change]] = [:]
        private var rewrites: Set<Place> = []

        private struct Place: Hashable {
            var tick: Int
            var source: Int
        }

        init(ticks: [Int]) {
            self.ticks = ticks
        }

        mutating func add(_ tick: Int, _ source: Int, _ id: DeploymentID, _ change: Change) {
            self.changes[Place(tick: tick, source: source), default: [:]][id] = change
        }

        /// A commit that changes nothing.
        mutating func touch(_ tick: Int, _ source: Int, rewritesHistory: Bool) {
            let place = Place(tick: tick, source: source)
            self.changes[place] = self.changes[place, default: [:]]
            if rewritesHistory { self.rewrites.insert(place) }
        }

        func happenings(_ dice: inout Dice, isCalm: Bool) -> [Happening] {
            let sorted = self.changes.sorted { ($0.key.tick, $0.key.source) < ($1.key.tick, $1.key.source) }
            return sorted.enumerated().map { index, push in
                let commit = Commit(
                    id: Scenario.commit(index + 1),
                    source: push.key.source,
                    push.value,
                    rewritesHistory: self.rewrites.contains(push.key)
                )
                return Happening(push.key.tick, .commit(commit))
            }
        }
    }

    private func source(of number: Int) -> Int { number % self.sources }

    /// The revisions of one deployment are numbered apart from the others'.
    static func revision(_ number: Int, of deployment: Int) -> Int { deployment * 16 + number }

    private mutating func declare(_ number: Int, isCalm: Bool, _ push: inout Pushes, _ dice: inout Dice) {
        let source = self.source(of: number)
        let policy = Self.policy(&dice, isCalm: isCalm)
        self.revisions[Self.revision(Self.revision(0, of: number))] = Behaviour()
        push.add(0, source, Self.id(number), .spec(Self.manifest(0, of: number, policy: policy)))
        for revision in 1...dice.pick(1...(isCalm ? 2 : 3)) {
            let policy = Self.policy(&dice, isCalm: isCalm)
            var spec = Self.manifest(revision, of: number, policy: policy)
            if number > 0, !isCalm, dice.chance(0.15) { spec.dependsOn = [Self.id(number - 1)] }
            self.revisions[spec.revision] = Self.behaviour(&dice)
            push.add(dice.pick(push.ticks), source, Self.id(number), .spec(spec))
        }
    }

    private static func manifest(_ revision: Int, of number: Int, policy: RolloutPolicy) -> DeploymentSpec {
        let replicas = Self.exchanges.first { $0.surge == policy.surge }?.replicas ?? 2
        return Self.spec(Self.revision(revision, of: number), of: Self.id(number), replicas: replicas, policy: policy)
    }

    /// Exchanges whose steps have room for what their weights take.
    private static let exchanges: [(surge: Int, replicas: Int, weights: [Int])] = [
        (10, 2, [5, 25, 50]), (25, 4, [25, 50, 75]), (33, 3, [20, 33, 67]), (50, 4, [5, 25, 50]),
    ]

    private mutating func trouble(_ count: Int, _ push: inout Pushes, _ dice: inout Dice) {
        if dice.chance(0.1) {
            let from = Self.begin + .seconds(dice.pick(20...100))
            let schedule = FreezeWindow.Schedule.once(from: from, until: from + .seconds(dice.pick(10...60)))
            self.freezes = [FreezeWindow(name: "window", schedule: schedule)]
        }
        for number in 0..<count { self.meddle(with: number, &push, &dice) }
        if dice.chance(0.1) {
            push.touch(dice.pick(push.ticks), dice.pick(0...self.sources - 1), rewritesHistory: dice.chance(0.5))
        }
        for _ in 0..<dice.pick(0...4) {
            let command = What.command(Self.id(dice.pick(0...count - 1)), Self.command(&dice, count))
            self.happenings.append(Happening(dice.pick(5...self.quietFrom - 2), command))
        }
        if dice.chance(0.15) {
            // Good when it was judged, bad later.
            let revision = Self.revision(Self.revision(dice.pick(0...3), of: dice.pick(0...count - 1)))
            var behaviour = self.revisions[revision] ?? Behaviour()
            behaviour.errors = dice.pick([0.05, 0.3, 1])
            self.happenings.append(Happening(dice.pick(30...self.quietFrom), .change(revision, behaviour)))
        }
        for fault in Fault.lasting + Fault.striking where dice.chance(0.12) {
            for _ in 0..<dice.pick(1...3) { self.fault(fault, &dice) }
        }
        if dice.chance(0.6) {
            for _ in 0..<dice.pick(1...4) { self.fault(dice.pick(Fault.kills), &dice) }
        }
    }

    /// Manifests that come back, break, vanish.
    private mutating func meddle(with number: Int, _ push: inout Pushes, _ dice: inout Dice) {
        let (source, id) = (self.source(of: number), Self.id(number))
        let first = Change.spec(Self.manifest(0, of: number, policy: Self.policy(&dice)))
        if dice.chance(0.2) { push.add(dice.pick(push.ticks), source, id, first) }
        if dice.chance(0.1) { push.add(dice.pick(push.ticks), source, id, dice.pick([.broken, .unreadable])) }
        if dice.chance(0.08) {
            let gone = dice.pick(push.ticks)
            push.add(gone, source, id, .absent)
            if dice.chance(0.2) { push.touch(gone, source, rewritesHistory: true) }
            if dice.chance(0.3) { push.add(gone + dice.pick(1...15), source, id, first) }
            if dice.chance(0.3) {
                self.happenings.append(Happening(gone + dice.pick(1...20), .prune(id)))
            }
        }
    }

    private mutating func fault(_ fault: Fault, _ dice: inout Dice) {
        let amount: Int =
            switch fault {
            case .routerSlow: dice.pick(2...12)
            case .slowCall: dice.pick(1...20)
            case .clockForward: dice.pick(1...60)
            case .clockBackward: dice.pick(1...5)
            case .kill: dice.pick([0, 0, 1, 3, 8])
            default: dice.chance(0.1) ? dice.pick(20...90) : dice.pick(1...20)
            }
        self.happenings.append(Happening(dice.pick(2...self.quietFrom - 2), .fault(fault, amount: amount)))
    }

    private static func policy(_ dice: inout Dice, isCalm: Bool = false) -> RolloutPolicy {
        let isSwitch = dice.chance(0.15) && !isCalm
        let isReplacement = dice.chance(0.1) && !isCalm && !isSwitch
        let exchange = !isSwitch && !isReplacement && dice.chance(0.3) ? dice.pick(Self.exchanges) : nil
        var steps = (exchange?.weights ?? [5, 25, 50]).map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(8), atMost: .seconds(60))
        }
        if isSwitch || isReplacement { steps = [] }
        if dice.chance(0.2), !isCalm, !isReplacement { steps.insert(Self.stepWithoutWeight(&dice), at: 0) }
        var gates: [Gate] = [.errors, .clientErrors, .latency(below: .milliseconds(250))]
        if dice.chance(0.1), !isCalm, !isReplacement {
            steps.insert(Step(action: .approval), at: dice.pick(0...steps.count))
        }
        if dice.chance(0.1), !isCalm { gates[0].onFailure = .hold }
        if dice.chance(0.2) { gates.append(Self.load) }
        return RolloutPolicy(
            strategy: isReplacement ? .recreate : isSwitch ? .blueGreen : .canary,
            steps: steps,
            gates: gates,
            onInconclusive: dice.pick([.pause, .promote, .rollback]),
            bakeTime: .seconds(dice.pick([0, 20, 60])),
            holdback: TrafficWeight(percent: dice.pick([0, 5, 5, 20])),
            progressDeadline: .seconds(60),
            surge: exchange?.surge ?? 100
        )
    }

    private static func stepWithoutWeight(_ dice: inout Dice) -> Step {
        let headers = HeaderMatches([.init(name: "x-canary", value: .present)])
        let action: Step.Action =
            dice.chance(0.5) ? .shadow(TrafficWeight(percent: dice.pick([20, 100]))) : .match(headers)
        return Step(action: action, atLeast: .seconds(8), atMost: .seconds(60))
    }

    private static let load = Gate(
        name: "load",
        kind: .threshold(
            ThresholdQuery(
                provider: "prometheus",
                query: "${revision}",
                maximum: 100,
                interval: .seconds(2),
                count: 3
            )
        )
    )

    private static func behaviour(_ dice: inout Dice) -> Behaviour {
        var behaviour = Behaviour()
        behaviour.startTicks = dice.pick(1...8)
        behaviour.fetchTicks = dice.pick([0, 0, 0, 2, 10])
        switch dice.pick(0...14) {
        case 0: behaviour.errors = dice.pick([0.02, 0.1, 0.5, 1])
        case 1: behaviour.clientErrors = dice.pick([0.1, 1])
        case 2: behaviour.slow = dice.pick([0.2, 0.8])
        case 3: behaviour.startTicks = nil
        case 4: behaviour.crashes = dice.pick([0.02, 0.3])
        case 5: behaviour.artifact = .failed("expected sha256:1, got sha256:2")
        case 6: behaviour.signature = "b"
        case 7: behaviour.failsGolden = true
        case 8: behaviour.load = 150
        case 9: behaviour.flaps = dice.pick([0.02, 0.2])
        default: break
        }
        return behaviour
    }

    private static func command(_ dice: inout Dice, _ count: Int) -> Command {
        let verb: Command.Verb =
            switch dice.pick(0...7) {
            case 0: .pause(until: nil)
            case 1: .resume
            case 2: .promote(full: false, force: false)
            case 3: .promote(full: true, force: dice.chance(0.5))
            case 4: .abort
            case 5: .rollback(to: nil)
            case 6: .rollback(to: Self.revision(Self.revision(dice.pick(0...3), of: dice.pick(0...count - 1))))
            default: .retry
            }
        return Command(verb, by: "operator", why: "because")
    }
}

import Deployments
import Rollouts

extension Scenario {
    /// A hostile world: one in which anything that the ports allow may happen, until it turns quiet. One in eight has
    /// much traffic and no faults instead, so that the controller has no excuse.
    package static func hostile(seed: UInt64) -> Scenario {
        var dice = Dice(seed: seed)
        let isCalm = dice.chance(0.125)
        var scenario = Scenario(traffic: dice.pick([5, 20, 60, 400, 1000]), ticks: 420, quietFrom: 220)
        scenario.tick = .milliseconds(dice.pick([1000, 1000, 2000]))
        if isCalm { scenario.traffic = 2000 }
        scenario.revisions[Self.revision(0)] = Behaviour()
        scenario.commits[0] = .spec(Self.spec(0, policy: Self.policy(&dice, isCalm: isCalm)))
        for number in 1...dice.pick(1...3) {
            scenario.revisions[Self.revision(number)] = Self.behaviour(&dice)
            let commit = Commit.spec(Self.spec(number, policy: Self.policy(&dice, isCalm: isCalm)))
            scenario.commits[dice.pick(15...150)] = commit
        }
        if !isCalm { scenario.trouble(&dice) }
        return scenario
    }

    private mutating func trouble(_ dice: inout Dice) {
        if dice.chance(0.2) {
            self.commits[dice.pick(60...200)] = .spec(Self.spec(0, commit: 9, policy: Self.policy(&dice)))
        }
        if dice.chance(0.1) { self.commits[dice.pick(30...200)] = .broken }
        if dice.chance(0.05) {
            let gone = dice.pick(100...200)
            self.commits[gone] = .absent
            if dice.chance(0.3) {
                self.commits[gone + dice.pick(1...15)] = .spec(Self.spec(0, policy: Self.policy(&dice)))
            }
        }
        for _ in 0..<dice.pick(0...4) {
            self.commands[dice.pick(5...210), default: []].append(Self.command(&dice))
        }
        // Whatever an operator paused is resumed once the world is quiet.
        self.commands[221] = [Command(.resume, by: "simulator")]
        if dice.chance(0.15) {
            // Good when it was judged, bad later.
            let revision = Self.revision(dice.pick(0...3))
            self.changes[dice.pick(60...200)] = [revision: Behaviour(errors: dice.pick([0.05, 0.3, 1]))]
        }
        if dice.chance(0.1) {
            let begin = dice.pick(20...150)
            self.dependencies[begin] = [DeploymentID(namespace: "default", name: "embedder")]
            self.dependencies[begin + dice.pick(10...70)] = []
        }
        for fault in Fault.allCases where dice.chance(0.25) {
            self.faults[fault] = 0.002 + 0.05 * dice.fraction() * dice.fraction()
        }
    }

    private static func policy(_ dice: inout Dice, isCalm: Bool = false) -> RolloutPolicy {
        var steps = [5, 25, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(8), atMost: .seconds(60))
        }
        let isSwitch = dice.chance(0.15) && !isCalm
        if isSwitch { steps = [] }
        if dice.chance(0.2), !isCalm { steps.insert(Self.stepWithoutWeight(&dice), at: 0) }
        var gates: [Gate] = [.errors, .clientErrors, .latency(below: .milliseconds(250))]
        if dice.chance(0.1), !isCalm { steps.insert(Step(action: .approval), at: dice.pick(0...steps.count)) }
        if dice.chance(0.1), !isCalm { gates[0].onFailure = .hold }
        if dice.chance(0.2) { gates.append(Self.load) }
        return RolloutPolicy(
            strategy: isSwitch ? .blueGreen : .canary,
            steps: steps,
            gates: gates,
            onInconclusive: dice.pick([.pause, .promote, .rollback]),
            bakeTime: .seconds(dice.pick([0, 20, 60])),
            holdback: TrafficWeight(percent: dice.pick([0, 5, 5, 20])),
            progressDeadline: .seconds(60)
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
            ThresholdQuery(provider: "prometheus", query: "load", maximum: 100, interval: .seconds(2), count: 3)
        )
    )

    private static func behaviour(_ dice: inout Dice) -> Behaviour {
        var behaviour = Behaviour()
        behaviour.startTicks = dice.pick(1...8)
        switch dice.pick(0...13) {
        case 0: behaviour.errors = dice.pick([0.02, 0.1, 0.5, 1])
        case 1: behaviour.clientErrors = dice.pick([0.1, 1])
        case 2: behaviour.slow = dice.pick([0.2, 0.8])
        case 3: behaviour.startTicks = nil
        case 4: behaviour.crashes = dice.pick([0.02, 0.3])
        case 5: behaviour.artifact = .failed("expected sha256:1, got sha256:2")
        case 6: behaviour.signature = "b"
        case 7: behaviour.failsGolden = true
        case 8: behaviour.load = 150
        default: break
        }
        return behaviour
    }

    private static func command(_ dice: inout Dice) -> Command {
        let verb: Command.Verb =
            switch dice.pick(0...7) {
            case 0: .pause(until: nil)
            case 1: .resume
            case 2: .promote(full: false, force: false)
            case 3: .promote(full: true, force: dice.chance(0.5))
            case 4: .abort
            case 5: .rollback(to: nil)
            case 6: .rollback(to: Self.revision(dice.pick(0...3)))
            default: .retry
            }
        return Command(verb, by: "operator", why: "because")
    }
}

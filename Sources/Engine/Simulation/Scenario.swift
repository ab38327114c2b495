package import Deployments
package import Rollouts

/// What happens to one deployment, besides what its controller does.
package struct Scenario: Sendable {
    /// Requests per second.
    package var traffic: Int
    package var tick: Duration
    /// What git says, from the given tick on.
    package var commits: [Int: Commit]
    package var commands: [Int: Command]
    package var revisions: [Revision: Behaviour]
    package var faults: [Fault: Double]
    /// Faults end and traffic goes on here.
    package var quietFrom: Int
    package var ticks: Int

    package enum Commit: Sendable {
        case spec(DeploymentSpec)
        case absent
        /// The manifest does not parse: the last good one stands.
        case broken
    }

    /// How a revision really is, which the controller must find out.
    package struct Behaviour: Sendable {
        package var errors = 0.002
        package var clientErrors = 0.001
        /// Share of answers over the latency bound.
        package var slow = 0.02
        /// Ticks until a replica is ready; nothing if it never is.
        package var startTicks: Int? = 2
        /// Chance per tick that a ready replica crashes.
        package var crashes = 0.0
        package var artifact: ArtifactState = .ready(path: "/artifact", digest: "sha256:0")
        package var signature = "a"
        package var failsGolden = false

        package init() {}

        package var isGood: Bool {
            self.errors <= 0.002 && self.clientErrors <= 0.001 && self.slow <= 0.02 && self.startTicks != nil
                && self.crashes == 0 && self.signature == "a" && !self.failsGolden
                && self.artifact == Behaviour().artifact
        }
    }

    /// What may go wrong, each with a chance per tick (for outages: of beginning).
    package enum Fault: CaseIterable, Hashable, Sendable {
        case lostEffect, slowRouter, platformOutage, routerOutage, controllerCrash, journalOutage, replicaCrash
        case gitOutage, clockStep
    }

    package init(traffic: Int, ticks: Int, quietFrom: Int) {
        self.traffic = traffic
        self.tick = .seconds(1)
        self.commits = [:]
        self.commands = [:]
        self.revisions = [:]
        self.faults = [:]
        self.quietFrom = quietFrom
        self.ticks = ticks
    }
}

extension Scenario {
    package static let id = DeploymentID(namespace: "default", name: "model")

    package static func spec(_ number: Int, commit: Int? = nil, policy: RolloutPolicy) -> DeploymentSpec {
        let digit = String(number, radix: 16)
        return DeploymentSpec(
            id: Self.id,
            revision: Self.revision(number),
            origin: CommitReference(
                repository: "models",
                branch: "main",
                commit: String(repeating: String((commit ?? number) % 10), count: 40),
                path: "model.yaml"
            ),
            model: Model(name: "model", version: digit, format: "onnx", uri: "file:/\(digit)"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"], shutdown: .init(drain: .seconds(5))),
            replicas: 2,
            objectives: [Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(720))],
            rollout: policy
        )
    }

    package static func revision(_ number: Int) -> Revision {
        let digit = String(number, radix: 16)
        return Revision(digest: digit + String(repeating: "0", count: 64 - digit.count))
    }

    /// A hostile world: one in which anything that the ports allow may happen, until it turns quiet.
    package static func hostile(seed: UInt64) -> Scenario {
        var dice = Dice(seed: seed)
        var scenario = Scenario(traffic: dice.pick([5, 20, 60]), ticks: 420, quietFrom: 220)
        scenario.tick = .milliseconds(dice.pick([1000, 1000, 2000]))
        scenario.revisions[Self.revision(0)] = Behaviour()
        scenario.commits[0] = .spec(Self.spec(0, policy: Self.policy(&dice)))
        for number in 1...dice.pick(1...3) {
            scenario.revisions[Self.revision(number)] = Self.behaviour(&dice)
            let commit = Commit.spec(Self.spec(number, policy: Self.policy(&dice)))
            scenario.commits[dice.pick(15...180)] = commit
        }
        if dice.chance(0.2) {
            scenario.commits[dice.pick(60...200)] = .spec(Self.spec(0, commit: 9, policy: Self.policy(&dice)))
        }
        if dice.chance(0.1) { scenario.commits[dice.pick(30...200)] = .broken }
        if dice.chance(0.05) { scenario.commits[dice.pick(100...200)] = .absent }
        for _ in 0..<dice.pick(0...4) {
            scenario.commands[dice.pick(5...210)] = Self.command(&dice)
        }
        // Whatever an operator paused is resumed once the world is quiet.
        scenario.commands[221] = Command(.resume, by: "simulator")
        for fault in Fault.allCases where dice.chance(0.3) {
            scenario.faults[fault] = 0.002 + 0.05 * dice.fraction() * dice.fraction()
        }
        return scenario
    }

    private static func policy(_ dice: inout Dice) -> RolloutPolicy {
        var steps = [5, 25, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(8), atMost: .seconds(60))
        }
        if dice.chance(0.1) { steps.insert(Step(action: .approval), at: dice.pick(0...3)) }
        return RolloutPolicy(
            steps: steps,
            gates: [.errors, .clientErrors, .latency(below: .milliseconds(250))],
            onInconclusive: dice.pick([.pause, .promote, .rollback]),
            bakeTime: .seconds(dice.pick([0, 20, 60])),
            progressDeadline: .seconds(60)
        )
    }

    private static func behaviour(_ dice: inout Dice) -> Behaviour {
        var behaviour = Behaviour()
        behaviour.startTicks = dice.pick(1...8)
        switch dice.pick(0...11) {
        case 0: behaviour.errors = dice.pick([0.02, 0.1, 0.5, 1])
        case 1: behaviour.clientErrors = dice.pick([0.1, 1])
        case 2: behaviour.slow = dice.pick([0.2, 0.8])
        case 3: behaviour.startTicks = nil
        case 4: behaviour.crashes = dice.pick([0.02, 0.3])
        case 5: behaviour.artifact = .failed("expected sha256:1, got sha256:2")
        case 6: behaviour.signature = "b"
        case 7: behaviour.failsGolden = true
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

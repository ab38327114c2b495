package import Deployments
package import Rollouts

/// What happens to one deployment, besides what its controller does.
package struct Scenario: Sendable {
    /// Requests per second.
    package var traffic: Int
    package var tick: Duration = .seconds(1)
    /// What git says, from the given tick on.
    package var commits: [Int: Commit] = [:]
    package var commands: [Int: [Command]] = [:]
    /// How each revision is at the start; good, when it is not here.
    package var revisions: [Revision: Behaviour] = [:]
    /// How revisions are from the given tick on.
    package var changes: [Int: [Revision: Behaviour]] = [:]
    /// What the deployment depends on and is not healthy, from the given tick on.
    package var dependencies: [Int: [DeploymentID]] = [:]
    /// Random faults, each with its chance per tick.
    package var faults: [Fault: Double] = [:]
    /// Outages by script: faults that last, in the given ticks.
    package var outages: [Fault: ClosedRange<Int>] = [:]
    /// The controller is killed in these ticks, after it journaled its decision and before it acts.
    package var kills: Set<Int> = []
    /// Random faults end here.
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
        /// What the metric provider answers for it; gates of hostile worlds allow 100.
        package var load = 50.0

        package init() {}

        package init(errors: Double = 0.002, clientErrors: Double = 0.001, slow: Double = 0.02) {
            self.errors = errors
            self.clientErrors = clientErrors
            self.slow = slow
        }

        package var isGood: Bool {
            self.errors <= 0.002 && self.clientErrors <= 0.001 && self.slow <= 0.02 && self.startTicks != nil
                && self.crashes == 0 && self.signature == "a" && !self.failsGolden && self.load <= 100
                && self.artifact == Behaviour().artifact
        }

        /// So bad that with enough traffic nobody could doubt it.
        package var isPlainlyBad: Bool {
            self.errors >= 0.1 || self.clientErrors >= 0.1 || self.slow >= 0.2 || self.startTicks == nil
                || self.signature != "a" || self.failsGolden || self.artifact != Behaviour().artifact
        }
    }

    /// What may go wrong, each with a chance per tick (for outages: of beginning).
    package enum Fault: CaseIterable, Hashable, Sendable {
        case lostEffect, slowRouter, controllerCrash, replicaCrash, clockStep
        // These last.
        case platformOutage, routerOutage, journalOutage, gitOutage, providerOutage
        /// Git has not been read for so long that nothing may go on.
        case gitLost
        /// No requests at all.
        case silence
        /// Every revision answers with errors: what they all need is down.
        case incident
        /// The router reports its configuration but no counters.
        case countersOutage
    }

    package init(traffic: Int, ticks: Int, quietFrom: Int = 0) {
        self.traffic = traffic
        self.quietFrom = quietFrom
        self.ticks = ticks
    }

    /// Nothing happens that could keep a controller from telling good from bad.
    package var isCalm: Bool {
        self.traffic >= 1000 && self.faults.isEmpty && self.outages.isEmpty && self.kills.isEmpty
            && self.commands.isEmpty && self.changes.isEmpty && self.dependencies.isEmpty
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
}

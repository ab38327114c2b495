package import Deployments
package import Reconciliation
package import Rollouts

/// What happens to some deployments, besides what their controller does. All of it is in the list, so that a scenario
/// can be read, and shortened while it still breaks a rule.
package struct Scenario: Sendable {
    /// Requests per second to each deployment, in the beginning.
    package var traffic: Int
    package var tick: Duration = .seconds(1)
    /// How long a request is in flight; with zero, none ever is at a look.
    package var serviceTime: Duration = .zero
    /// The router's histogram tells answers within the latency bound apart, too.
    package var showsAnswerTimes = false
    /// Applications count their wrong answers, and a metric provider scrapes that.
    package var countsWrong = false
    /// Git is looked at every so many ticks.
    package var pollEvery = 1
    /// How long a manifest must be gone before its deployment is removed.
    package var grace: Duration = .seconds(10)
    /// The watched repositories.
    package var sources = 1
    package var happenings: [Happening] = []
    /// What every repository declares, all the time.
    package var freezes: [FreezeWindow] = []
    /// What the platform has for replicas, as far as its controller knows.
    package var capacity = Capacity()

    /// When every world begins.
    package static let begin = Timestamp(milliseconds: 1_700_000_000_000)

    /// How each revision is at the start; good, when it is not here.
    package var revisions: [Revision: Behaviour] = [:]
    /// Nothing happens any more from here on, so that all must come to an end.
    package var quietFrom: Int
    package var ticks: Int
    /// Once all is quiet and settled, the rest of the ticks is not run.
    package var endsAtRest = false

    package struct Happening: Sendable {
        package var tick: Int
        package var what: What

        package init(_ tick: Int, _ what: What) {
            self.tick = tick
            self.what = what
        }
    }

    package enum What: Sendable {
        case commit(Commit)
        case command(DeploymentID, Command)
        case prune(DeploymentID)
        /// An operator freezes, or ends a freeze.
        case freeze(FreezeChange)
        /// How a revision is from now on.
        case change(Revision, Behaviour)
        /// Requests per second to each deployment from now on.
        case traffic(Int)
        /// `amount` is in ticks for what lasts, for late and slow things and for how long the controller is down; in
        /// seconds for steps of the clock and slow calls.
        case fault(Fault, amount: Int)
    }

    /// A push to the watched branch of a repository.
    package struct Commit: Sendable {
        package var id: String
        package var source = 0
        package var changes: [DeploymentID: Change]
        package var rewritesHistory = false

        package init(id: String, source: Int = 0, _ changes: [DeploymentID: Change], rewritesHistory: Bool = false) {
            self.id = id
            self.source = source
            self.changes = changes
            self.rewritesHistory = rewritesHistory
        }
    }

    package enum Change: Sendable {
        case spec(DeploymentSpec)
        case absent
        /// The manifest does not parse: the last good one stands.
        case broken
        /// Not even its name can be read.
        case unreadable
    }

    package init(traffic: Int, ticks: Int, quietFrom: Int = 0) {
        self.traffic = traffic
        self.quietFrom = quietFrom
        self.ticks = ticks
    }

    /// When the number of replicas has followed the last change of traffic, in ticks.
    var scaledFrom: Int {
        self.serviceTime == .zero ? 0 : self.quietFrom + Int(160 / self.tick.inSeconds)
    }

    /// Nothing happens that could keep a controller from telling good from bad.
    package var isCalm: Bool {
        self.traffic >= 1000
            && self.happenings.allSatisfy {
                switch $0.what {
                case .commit: true
                case .command(_, let command): command.verb == .resume
                case .prune: true
                case .traffic(let traffic): traffic >= 1000
                case .change, .fault, .freeze: false
                }
            }
    }
}

extension Scenario {
    package static let id = Self.id(0)

    package static func id(_ number: Int) -> DeploymentID {
        DeploymentID(namespace: "default", name: number == 0 ? "model" : "model-\(number)")
    }

    package static func sourceName(_ number: Int) -> String { number == 0 ? "models" : "models-\(number)" }

    package static func commit(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return digits.count == 1 ? String(repeating: digits, count: 40) : digits + String(repeating: "0", count: 38)
    }

    /// The manifest of revision `number` of a deployment.
    package static func spec(
        _ number: Int,
        of id: DeploymentID = Self.id,
        commit: Int? = nil,
        replicas: Int = 2,
        policy: RolloutPolicy
    ) -> DeploymentSpec {
        let digit = String(number, radix: 16)
        return DeploymentSpec(
            id: id,
            revision: Self.revision(number),
            origin: CommitReference(
                repository: "models",
                branch: "main",
                commit: Self.commit((commit ?? number) % 10),
                path: "\(id.name).yaml"
            ),
            model: Model(name: "model", version: digit, format: "onnx", uri: "file:/\(digit)"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"], shutdown: .init(drain: .seconds(5))),
            replicas: replicas,
            objectives: [Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(720))],
            rollout: policy
        )
    }

    package static func revision(_ number: Int) -> Revision {
        // Those of more digits end with another, so that 16 is not 1.
        let digits = String(number, radix: 16) + (number < 16 ? "" : "f")
        return Revision(digest: digits + String(repeating: "0", count: 64 - digits.count))
    }
}

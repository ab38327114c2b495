/// How a new revision takes over.
package struct RolloutPolicy: Hashable, Codable, Sendable {
    package var steps: [Step]
    /// Every step runs these unless it names its own.
    package var gates: [Gate]
    /// What happens when a step's `atMost` passes without a verdict.
    package var onInconclusive: InconclusiveAction
    /// How long, after promotion, the previous replicas stay warm and the objectives are watched.
    package var bakeTime: Duration
    /// How long the canary's replicas may take until they are ready.
    package var progressDeadline: Duration

    package init(
        steps: [Step] = [.weight(5), .weight(25), .weight(50)],
        gates: [Gate] = [.errors, .clientErrors, .latency()],
        onInconclusive: InconclusiveAction = .pause,
        bakeTime: Duration = .minutes(30),
        progressDeadline: Duration = .minutes(20)
    ) {
        self.steps = steps
        self.gates = gates
        self.onInconclusive = onInconclusive
        self.bakeTime = bakeTime
        self.progressDeadline = progressDeadline
    }
}

package enum InconclusiveAction: String, Hashable, Codable, Sendable, CaseIterable {
    case pause
    case promote
    case rollback
}

/// One stage of a rollout.
package struct Step: Hashable, Codable, Sendable {
    package var action: Action
    /// Nothing means the policy's gates.
    package var gates: [Gate]?
    /// The time a step lasts at the least, counted from when the router serves its weight.
    package var atLeast: Duration
    /// When no verdict has come by then, the step is inconclusive.
    package var atMost: Duration

    package enum Action: Hashable, Codable, Sendable {
        case weight(TrafficWeight)
        /// Waits for `controller promote`, at the weight of the step before it.
        case approval
    }

    package static let defaultAtLeast: Duration = .minutes(2)
    package static let defaultAtMost: Duration = .minutes(30)

    package init(
        action: Action,
        gates: [Gate]? = nil,
        atLeast: Duration = Step.defaultAtLeast,
        atMost: Duration = Step.defaultAtMost
    ) {
        self.action = action
        self.gates = gates
        self.atLeast = atLeast
        self.atMost = atMost
    }

    package static func weight(_ percent: Int) -> Step {
        Step(action: .weight(TrafficWeight(percent: percent)))
    }
}

/// One condition on a canary.
package struct Gate: Hashable, Codable, Sendable {
    package var name: String
    package var kind: Kind
    package var onFailure: FailureAction

    package init(name: String, kind: Kind, onFailure: FailureAction = .rollback) {
        self.name = name
        self.kind = kind
        self.onFailure = onFailure
    }

    package enum Kind: Hashable, Codable, Sendable {
        /// Answers 5xx, resets and timeouts at the router, canary against stable.
        case errors
        /// Answers 4xx at the router, canary against stable.
        case clientErrors
        /// Share of answers slower than a bound, canary against stable. Without a bound, the objective's; without
        /// that, the smallest histogram bound that at most 5 percent of stable's answers exceeded before the rollout.
        case latency(below: Duration?)
        /// A number from a metric provider, within limits. Carries no statistical guarantee.
        case threshold(ThresholdQuery)
    }

    package enum FailureAction: String, Hashable, Codable, Sendable, CaseIterable {
        case rollback
        case hold
    }

    package static let errors = Gate(name: "errors", kind: .errors)
    package static let clientErrors = Gate(name: "client-errors", kind: .clientErrors)
    package static func latency(below bound: Duration? = nil) -> Gate {
        Gate(name: "latency", kind: .latency(below: bound))
    }
}

/// A query whose answer is one number, and the limits it must keep.
package struct ThresholdQuery: Hashable, Codable, Sendable {
    package var provider: String
    /// The provider's own language; `${revision}`, `${deployment}` and `${namespace}` are substituted.
    package var query: String
    package var minimum: Double?
    package var maximum: Double?
    package var interval: Duration
    /// How many measurements the gate wants before it passes.
    package var count: Int
    /// How many measurements may fail before the gate does.
    package var failureLimit: Int
    /// How many answers in a row may be missing before the gate counts as without evidence.
    package var consecutiveErrorLimit: Int
    package var initialDelay: Duration

    package init(
        provider: String,
        query: String,
        minimum: Double? = nil,
        maximum: Double? = nil,
        interval: Duration = .seconds(30),
        count: Int = 5,
        failureLimit: Int = 0,
        consecutiveErrorLimit: Int = 4,
        initialDelay: Duration = .zero
    ) {
        self.provider = provider
        self.query = query
        self.minimum = minimum
        self.maximum = maximum
        self.interval = interval
        self.count = count
        self.failureLimit = failureLimit
        self.consecutiveErrorLimit = consecutiveErrorLimit
        self.initialDelay = initialDelay
    }
}

/// How a new revision takes over.
package struct RolloutPolicy: Hashable, Codable, Sendable {
    package var strategy: Strategy
    /// Without any, a canary that is ready is promoted.
    package var steps: [Step]
    /// Every step runs these unless it names its own.
    package var gates: [Gate]
    /// What happens when a step's `atMost` passes without a verdict.
    package var onInconclusive: InconclusiveAction
    /// How long, after promotion, the previous replicas stay warm and the objectives are watched.
    package var bakeTime: Duration
    /// What the previous revision keeps of the traffic while the new one bakes, so that both can be compared still.
    package var holdback: TrafficWeight
    /// How long the canary's replicas may take until they are ready.
    package var progressDeadline: Duration
    /// How many replicas may run beside the stable ones, in percent of them: 1 to 100. Below 100 the revisions exchange
    /// their replicas step by step.
    package var surge: Int
    /// How git is put right after a rollback; nothing leaves that to people.
    package var revert: RevertMode?
    /// Who else must say yes, and where; nothing when nobody has to.
    package var signOffs: SignOffs?

    package init(
        strategy: Strategy = .canary,
        steps: [Step] = [.weight(5), .weight(25), .weight(50)],
        gates: [Gate] = [.errors, .clientErrors, .latency()],
        onInconclusive: InconclusiveAction = .pause,
        bakeTime: Duration = .minutes(30),
        holdback: TrafficWeight = RolloutPolicy.defaultHoldback,
        progressDeadline: Duration = .minutes(20),
        surge: Int = 100,
        revert: RevertMode? = nil,
        signOffs: SignOffs? = nil
    ) {
        self.strategy = strategy
        self.steps = steps
        self.gates = gates
        self.onInconclusive = onInconclusive
        self.bakeTime = bakeTime
        self.holdback = holdback
        self.progressDeadline = progressDeadline
        self.surge = surge
        self.revert = revert
        self.signOffs = signOffs
    }

    /// How a step that copies `percent` of the requests compares answers: by its gate for that, if it has one.
    package func comparison(inStep step: Int, copying percent: TrafficWeight) -> AnswerRule? {
        for gate in self.steps[step].gates ?? self.gates {
            guard case .answers(var rule) = gate.kind else { continue }
            rule.percent = min(rule.percent, percent)
            return rule
        }
        return nil
    }

    /// Enough to compare with, at little cost when the new revision is the better one.
    package static let defaultHoldback = TrafficWeight(percent: 5)
}

extension RolloutPolicy {
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            strategy: try values.decode(Strategy.self, forKey: .strategy),
            steps: try values.decode([Step].self, forKey: .steps),
            gates: try values.decode([Gate].self, forKey: .gates),
            onInconclusive: try values.decode(InconclusiveAction.self, forKey: .onInconclusive),
            bakeTime: try values.decode(Duration.self, forKey: .bakeTime),
            holdback: try values.decode(TrafficWeight.self, forKey: .holdback),
            progressDeadline: try values.decode(Duration.self, forKey: .progressDeadline),
            // Absent in what was written before there was a choice.
            surge: try values.decodeIfPresent(Int.self, forKey: .surge) ?? 100,
            revert: try values.decodeIfPresent(RevertMode.self, forKey: .revert),
            signOffs: try values.decodeIfPresent(SignOffs.self, forKey: .signOffs)
        )
    }
}

package enum Strategy: String, Hashable, Codable, Sendable, CaseIterable {
    /// Beside the stable revision, with a growing share of the traffic.
    case canary
    /// Beside the stable revision, without traffic but for those who ask for it, until one switch moves all of it.
    case blueGreen
    /// In the stable revision's place, for what cannot run twice. The one strategy with a gap in service.
    case recreate
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
        /// The canary gets copies of so many percent of the stable revision's requests; its answers reach nobody.
        case shadow(TrafficWeight)
        /// Requests with these headers go to the canary, at the weight of the step before.
        case match(HeaderMatches)
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

extension Step.Action: CustomStringConvertible {
    package var description: String {
        switch self {
        case .weight(let weight): "weight \(weight)"
        case .approval: "approval"
        case .shadow(let percent): "shadow \(percent)"
        case .match(let headers): "match \(headers)"
        }
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
        /// Answer times as a whole at the router, canary against stable, by their ranks.
        case slowdown(SlowdownRule)
        /// A number from a metric provider, within limits. Carries no statistical guarantee.
        case threshold(ThresholdQuery)
        /// Bad ones of all, as a metric provider counts them, canary against stable.
        case ratio(RatioQuery)
        /// The mean of a value from 0 to 1, as a metric provider counts it, canary against stable.
        case mean(MeanQuery)
        /// The distribution of a value, as a metric provider counts it, canary against stable.
        case drift(DriftQuery)
        /// Whether a service says that the step may pass.
        case webhook(WebhookQuery)
        /// Whether a program says that the step may pass.
        case job(JobRun)
        /// How many of the canary's answers to copied requests differ from stable's.
        case answers(AnswerRule)
        /// What another tool's rule says of the canary's errors. Carries no statistical guarantee.
        case preset(PresetRule)
    }

    package enum FailureAction: String, Hashable, Codable, Sendable, CaseIterable {
        case rollback
        case hold
    }

    /// Whether the gate goes on through the bake, when it rolls back: it compares two revisions that both serve. What
    /// is about the new one alone has had its say, nobody waits for a person, and no requests are copied any more.
    package var isAskedInBake: Bool {
        guard self.onFailure == .rollback else { return false }
        return switch self.kind {
        case .errors, .clientErrors, .latency, .slowdown, .ratio, .mean, .drift: true
        case .threshold, .webhook, .job, .answers, .preset: false
        }
    }

    /// Whether the gate is tested sequentially, and so has a share of a rollout's error budget.
    package var sharesBudget: Bool {
        switch self.kind {
        case .errors, .clientErrors, .latency, .slowdown, .ratio, .mean, .drift, .answers: true
        case .threshold, .webhook, .job, .preset: false
        }
    }

    package static let errors = Gate(name: "errors", kind: .errors)
    package static let clientErrors = Gate(name: "client-errors", kind: .clientErrors)
    package static func latency(below bound: Duration? = nil) -> Gate {
        Gate(name: "latency", kind: .latency(below: bound))
    }
    package static let slowdown = Gate(name: "slowdown", kind: .slowdown(SlowdownRule()))
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

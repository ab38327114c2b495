import Analysis
import ControllerWords
import Deployments

/// What the steps of a manifest's rollout are expected to take and to notice, before it is merged.
package struct RolloutForecast: Codable, Hashable, Sendable {
    package var deployment: String
    package var model: String
    package var strategy: String
    package var requestsPerSecond: Double
    /// Whether the rate is what a running controller counts.
    package var isMeasured: Bool
    package var stableErrors: Double
    package var steps: [Step]
    /// Of the steps with a time, their least or expected time, whichever is longer.
    package var seconds: Double
    package var bakeSeconds: Double
    /// What follows from a step without a verdict: `pause`, `promote` or `rollback`.
    package var onInconclusive: String

    package struct Step: Codable, Hashable, Sendable {
        /// As manifests have it: `weight 5 %`.
        package var action: String
        package var atLeastSeconds: Double
        package var atMostSeconds: Double
        /// Requests per second on the canary.
        package var canaryRequestsPerSecond: Double
        /// Of a canary that is as good as stable; nothing when no verdict is expected, or nobody compares.
        package var secondsUntilSafe: Double?
        /// Until one with twice the errors, with five times the errors, and one that fails half of its requests.
        package var secondsUntilDoubledErrors: Double?
        package var secondsUntilFivefoldErrors: Double?
        package var secondsUntilHalfFailing: Double?
        /// Who looks at errors in this step: `errors`, or the tool whose rule a preset is, such as `flagger`, of which
        /// nothing is foretold; nothing when nobody does.
        package var errorsJudgedBy: String?
        package var isApproval: Bool

        /// What a good canary is expected to stay in the step.
        var expected: Double {
            min(self.atMostSeconds, max(self.atLeastSeconds, self.secondsUntilSafe ?? self.atMostSeconds))
        }
    }

    /// Shares of stable's requests that count as bad, gate by gate.
    struct Baselines {
        var errors: Double
        var clientErrors: Double
        var slow: Double
        /// Requests with the headers of a match step.
        var matching: Double

        func of(_ gate: Gate) -> Double? {
            switch gate.kind {
            case .errors: self.errors
            case .clientErrors: self.clientErrors
            case .latency: self.slow
            // The rarest of the quantiles that it compares is the last to pass.
            case .slowdown(let rule): rule.maximumRatio == nil ? nil : 0.01
            default: nil
            }
        }
    }

    init(_ spec: DeploymentSpec, requestsPerSecond: Double, isMeasured: Bool, _ baselines: Baselines) {
        let policy = spec.rollout
        self.deployment = spec.id.description
        self.model = "\(spec.model.name) \(spec.model.version)"
        self.strategy = policy.strategy.rawValue
        self.requestsPerSecond = requestsPerSecond
        self.isMeasured = isMeasured
        self.stableErrors = baselines.errors
        self.bakeSeconds = policy.bakeTime / .seconds(1)
        self.onInconclusive = policy.onInconclusive.rawValue
        self.steps = Self.steps(of: policy, requestsPerSecond, baselines)
        self.seconds = self.steps.reduce(0) { $0 + ($1.isApproval ? 0 : $1.expected) }
    }

    private static func steps(of policy: RolloutPolicy, _ rate: Double, _ baselines: Baselines) -> [Step] {
        let comparing = policy.steps.indices.filter { policy.steps[$0].action != .approval }
        let everyGate = Set(policy.gates + policy.steps.flatMap { $0.gates ?? [] })
        let holdback = policy.strategy == .canary && policy.holdback > .none && policy.bakeTime > .zero ? 1 : 0
        return policy.steps.indices.map { index in
            let step = policy.steps[index]
            let (canary, stable) = Self.rates(of: index, in: policy, rate, matching: baselines.matching)
            var forecast = Step(
                action: step.action.description,
                atLeastSeconds: step.atLeast / .seconds(1),
                atMostSeconds: step.atMost / .seconds(1),
                canaryRequestsPerSecond: canary,
                isApproval: step.action == .approval
            )
            guard let position = comparing.firstIndex(of: index) else { return forecast }
            let gates = step.gates ?? policy.gates
            let rates = gates.compactMap { baselines.of($0) }
            let next = Self.weight(after: index, in: policy)
            let plan = StepForecast(
                baselines: rates,
                gates: everyGate.count(where: \.sharesBudget),
                canaryRate: canary,
                stableRate: stable,
                nextWeight: Double(max(1, next)) / 100,
                index: position,
                count: comparing.count + holdback
            )
            forecast.secondsUntilSafe = rates.isEmpty ? 0 : plan.secondsUntilSafe
            for case .preset(let rule) in gates.map(\.kind) {
                forecast.errorsJudgedBy = rule.tool
                let seconds = rule.shortestDuration / .seconds(1)
                forecast.secondsUntilSafe = Self.later(forecast.secondsUntilSafe, seconds)
            }
            if case .shadow(let percent) = step.action,
                let rule = policy.comparison(inStep: index, copying: percent)
            {
                forecast.secondsUntilSafe = Self.later(
                    forecast.secondsUntilSafe,
                    Self.secondsUntilCompared(rule, of: rate)
                )
            }
            for case .slowdown(let rule) in gates.map(\.kind) {
                let ranked = StepForecast.secondsUntilRanked(rule, toward: next, canary: canary, stable: stable)
                forecast.secondsUntilSafe = Self.later(forecast.secondsUntilSafe, ranked)
            }
            guard gates.contains(where: { $0.kind == .errors }) else { return forecast }
            let found = { (rate: Double) in plan.secondsUntilFound(rate: rate, over: baselines.errors) }
            forecast.errorsJudgedBy = Gate.errors.name
            forecast.secondsUntilDoubledErrors = found(2 * baselines.errors)
            forecast.secondsUntilFivefoldErrors = found(5 * baselines.errors)
            forecast.secondsUntilHalfFailing = found(0.5)
            return forecast
        }
    }

    /// When no answer differs.
    private static func secondsUntilCompared(_ rule: AnswerRule, of rate: Double) -> Double? {
        let (parameters, copies) = (AnalysisParameters.default, rate * Double(rule.percent.percent) / 100)
        let safety = AbsoluteSafety(test: AbsoluteTest(limit: rule.maximumShare), grid: parameters.safeGrid)
        guard copies > 0 else { return nil }
        return safety.remaining(rate: 0, grid: parameters.safeGrid, limit: parameters.safeLimit).map { $0 / copies }
    }

    /// Nothing, which is never, is later than all.
    private static func later(_ first: Double?, _ second: Double?) -> Double? {
        guard let first, let second else { return nil }
        return max(first, second)
    }

    /// Requests per second on the canary and on stable.
    private static func rates(
        of index: Int,
        in policy: RolloutPolicy,
        _ rate: Double,
        matching: Double
    ) -> (canary: Double, stable: Double) {
        let weight = Double(Self.weight(before: index, in: policy)) / 100
        switch policy.steps[index].action {
        case .weight, .approval: return (rate * weight, rate * (1 - weight))
        case .shadow(let percent): return (rate * Double(percent.percent) / 100, rate)
        case .match:
            let matched = rate * matching
            return (matched + (rate - matched) * weight, (rate - matched) * (1 - weight))
        }
    }

    /// The weight at a step, in percent: its own, or that of the last step before it that has one.
    private static func weight(before index: Int, in policy: RolloutPolicy) -> Int {
        for step in policy.steps[...index].reversed() {
            if case .weight(let weight) = step.action { return weight.percent }
        }
        return 0
    }

    private static func weight(after index: Int, in policy: RolloutPolicy) -> Int {
        for step in policy.steps.dropFirst(index + 1) {
            if case .weight(let weight) = step.action { return weight.percent }
        }
        return 100
    }
}

extension RolloutForecast {
    var lines: [StyledText] {
        let rate = NumberText.number(self.requestsPerSecond, decimals: 1)
        var lines = [
            StyledText("\(self.deployment)  ", .bold)
                + StyledText(
                    "\(self.model) at \(rate) requests/s\(self.isMeasured ? " (measured)" : ""), stable fails "
                        + NumberText.percent(self.stableErrors)
                ), "",
        ]
        if self.steps.isEmpty {
            lines.append("It has no steps: a canary that is ready is promoted.")
        } else {
            lines += self.table
        }
        lines += [""] + self.conclusion
        if self.steps.contains(where: \.isApproval) { lines.append("Waiting for approvals comes on top.") }
        return lines
    }

    private var conclusion: [StyledText] {
        let bake = self.bakeSeconds > 0 ? ", then it bakes for \(TimeText.span(self.bakeSeconds))" : ""
        let promoted = StyledText("A good model is promoted after about \(Self.about(self.seconds))\(bake).")
        guard let late = self.steps.first(where: { !$0.isApproval && $0.isLate }) else { return [promoted] }
        let remedy = "a longer `atMost` or more weight would give it one"
        let rule = "`onInconclusive` is \(self.onInconclusive)"
        switch self.onInconclusive {
        case InconclusiveAction.promote.rawValue:
            let note = "At this traffic `\(late.action)` ends without a verdict and the rollout goes on (\(rule)): "
            return [promoted, StyledText(note + remedy + ".", .yellow)]
        case InconclusiveAction.rollback.rawValue:
            let note =
                "At this traffic `\(late.action)` ends without a verdict and a good model is rolled back (\(rule)): "
            return [StyledText(note + remedy + ".", .yellow)]
        default:
            let note = "At this traffic `\(late.action)` ends without a verdict and waits for an operator (\(rule)): "
            return [StyledText(note + remedy + ".", .yellow)]
        }
    }

    private var table: [StyledText] {
        var table = TextTable(
            "STEP",
            "CANARY GETS",
            "A GOOD ONE PASSES",
            "TWICE THE ERRORS",
            "FIVE TIMES",
            "HALF FAILING"
        )
        for step in self.steps {
            let canary = StyledText("\(NumberText.number(step.canaryRequestsPerSecond, decimals: 1))/s")
            if step.isApproval {
                table.add(StyledText(step.action), canary, "when somebody approves", "", "", "")
                continue
            }
            let passes =
                step.isLate
                ? StyledText("not within \(TimeText.span(step.atMostSeconds))", .yellow)
                : StyledText("after about \(Self.about(step.expected))")
            table.add(
                StyledText(step.action),
                canary,
                passes,
                Self.found(step.secondsUntilDoubledErrors, step),
                Self.found(step.secondsUntilFivefoldErrors, step),
                Self.found(step.secondsUntilHalfFailing, step)
            )
        }
        return table.lines(width: nil)
    }

    private static func found(_ seconds: Double?, _ step: Step) -> StyledText {
        guard let judge = step.errorsJudgedBy else { return StyledText("nobody looks", .dim) }
        guard judge == Gate.errors.name else { return StyledText("by \(judge)'s rule", .dim) }
        guard let seconds, seconds <= step.atMostSeconds else { return StyledText("not in this step", .dim) }
        return StyledText("seen in \(Self.about(seconds))")
    }

    private static func about(_ seconds: Double) -> String { NumberText.about(seconds: seconds) }
}

extension RolloutForecast.Step {
    /// Whether a good canary's step is expected to end without a verdict.
    var isLate: Bool { (self.secondsUntilSafe ?? .infinity) > self.atMostSeconds }
}

import Deployments

/// The judge of another tool's rule, in a gate of a rollout.
enum PresetJudge: Hashable, Codable, Sendable {
    case flagger(FlaggerJudge)
    case argo(ArgoJudge)
    case kayenta(KayentaJudge)

    init(_ rule: PresetRule) {
        switch rule {
        case .flagger(let rule):
            self = .flagger(
                FlaggerJudge(
                    interval: rule.interval / .seconds(1),
                    threshold: rule.threshold,
                    minimumSuccess: rule.minimum
                )
            )
        case .argo(let rule):
            self = .argo(
                ArgoJudge(
                    interval: rule.interval / .seconds(1),
                    count: rule.count,
                    failureLimit: rule.failureLimit,
                    consecutiveErrorLimit: rule.consecutiveErrorLimit,
                    minimumSuccess: rule.minimum * 100
                )
            )
        case .kayenta(let rule):
            self = .kayenta(
                KayentaJudge(
                    interval: rule.analysisInterval / .seconds(1),
                    lifetime: rule.lifetimeDuration / .seconds(1)
                )
            )
        }
    }

    /// Argo Rollouts and Spinnaker begin an analysis with each step; Flagger counts failed checks through all of them.
    mutating func beginStep(_ rule: PresetRule) {
        guard case .flagger(var judge) = self else {
            self = PresetJudge(rule)
            return
        }
        judge.beginStep()
        self = .flagger(judge)
    }

    mutating func add(_ poll: HoldPoll) -> StepVerdict {
        switch self {
        case .flagger(var judge):
            defer { self = .flagger(judge) }
            return judge.add(poll)
        case .argo(var judge):
            defer { self = .argo(judge) }
            return judge.add(poll)
        case .kayenta(var judge):
            defer { self = .kayenta(judge) }
            return judge.add(poll)
        }
    }

    /// How far it is, in the tool's own terms.
    var progress: String {
        switch self {
        case .flagger(let judge): "\(judge.failedChecks) of \(judge.threshold) failed checks"
        case .argo(let judge):
            "\(judge.measured) of \(judge.count) measurements, \(judge.failed) failed (\(judge.failureLimit) allowed)"
                + (judge.consecutiveErrors > 0 ? ", the last \(judge.consecutiveErrors) without an answer" : "")
        case .kayenta(let judge):
            "\(NumberText.about(seconds: judge.elapsed)) of \(NumberText.about(seconds: judge.lifetime)) compared"
        }
    }
}

extension PresetRule {
    /// What the canary must keep.
    var limit: String {
        switch self {
        case .flagger(let rule): Self.success(rule.minimum)
        case .argo(let rule): Self.success(rule.minimum * 100)
        case .kayenta: "errors a minute that a Mann-Whitney test does not find above stable's"
        }
    }

    private static func success(_ percent: Double) -> String {
        "at least \(NumberText.number(percent, decimals: 3)) % of its requests succeed"
    }

    /// What makes the canary fail.
    private var failure: String {
        switch self {
        case .flagger(let rule):
            "\(rule.threshold) failed checks of `\(self.limit)`, one every \(rule.interval.short)"
        case .argo(let rule):
            "more than \(rule.failureLimit) of \(rule.count) measurements of `\(self.limit)` fail, "
                + "one every \(rule.interval.short)"
        case .kayenta(let rule):
            "a Mann-Whitney test finds its errors a minute above stable's, looked at every "
                + rule.analysisInterval.short
        }
    }

    /// The rule, and which guarantees of the sequential tests it does not have.
    package var words: String { "\(self.tool)'s rule: \(self.failure); \(Self.price)" }

    static let price = "no bound on false rollbacks, nor on bad canaries that pass"
}

import Deployments

extension Shape {
    static let answers = Shape(
        "answers",
        [
            .required("compare", "label"),
            .optional("tolerance", "0.001"),
            .optional("ignore", "[id, model_version]"),
            .optional("scores", "outputs[0].data"),
            .optional("percent", "5"),
            .optional("maxShare", "1%"),
        ]
    )
}

extension AnswerRule {
    init?(decoding members: Members) {
        guard let method = members["compare"]?.choice(of: Method.self) else { return nil }
        self.init(method: method)
        self.tolerance = members["tolerance"]?.number(in: 0...1) ?? self.tolerance
        self.ignored = members["ignore"]?.list(limit: 32)?.compactMap { $0.answerPath() } ?? []
        self.scores = members["scores"]?.answerPath() ?? self.scores
        if self.scores.parts.contains(.everyElement) {
            members["scores"]?.error("`[]` is many places: name one, such as `outputs[0].data`")
        }
        self.percent = members["percent"]?.percentage(in: 1...100).map { TrafficWeight(percent: $0) } ?? self.percent
        self.maximumShare = members["maxShare"]?.share() ?? self.maximumShare
        if method != .numeric {
            members["tolerance"]?.error("only `compare: numeric` has a tolerance: remove it, or compare so")
        }
        if method != .label {
            members["scores"]?.error("only `compare: label` looks for scores: remove it, or compare so")
        }
    }
}

extension Field {
    fileprivate func answerPath() -> AnswerPath? {
        guard let text = self.string(limit: 256) else { return nil }
        guard let path = AnswerPath(text) else {
            self.expected("a place in an answer, such as `model_version` or `outputs[0].data`")
            return nil
        }
        return path
    }

    /// `1%`, `0.5%`: with the sign, as it is easily taken for a share otherwise.
    fileprivate func share() -> Double? {
        let form = "percent with their sign, above 0% and below 100%, such as `1%` or `0.5%`"
        guard let text = self.string(limit: 32, form: form, where: { $0.hasSuffix("%") }) else { return nil }
        guard let percent = Double(text.dropLast()), percent >= 0.001, percent < 100 else {
            self.expected(form)
            return nil
        }
        return percent / 100
    }
}

extension RolloutDraft {
    /// Only a shadow step copies requests, so only there can answers to them be compared.
    func checkComparedAnswers(of policy: RolloutPolicy, noting log: DiagnosticLog) {
        for (index, step) in policy.steps.enumerated() {
            guard let gates = step.gates else { continue }
            let comparing = Self.comparing(gates)
            self.check(comparing, at: self.stepGates[index] ?? [], isShadow: step.isShadow, noting: log)
        }
        let users = policy.steps.filter { $0.gates == nil }
        self.check(
            Self.comparing(policy.gates),
            at: self.gates ?? [],
            isShadow: !users.isEmpty && users.allSatisfy(\.isShadow),
            noting: log
        )
    }

    private static func comparing(_ gates: [Gate]) -> [String] {
        gates.compactMap { if case .answers = $0.kind { $0.name } else { nil } }
    }

    private func check(
        _ names: [String],
        at references: [Reference],
        isShadow: Bool,
        noting log: DiagnosticLog
    ) {
        for reference in references where names.contains(reference.name) {
            if !isShadow {
                log.error(
                    at: reference.site,
                    "\(reference.name.inBackticks) compares answers to copies of requests, which only a `shadow` step "
                        + "makes: name it in the `gates` of one"
                )
            } else if reference.name != names.first {
                log.error(
                    at: reference.site,
                    "a step compares answers in one way, here that of \(names[0].inBackticks): remove one of them"
                )
            }
        }
    }
}

extension Step {
    fileprivate var isShadow: Bool { if case .shadow = self.action { true } else { false } }
}

import Deployments

extension Shape {
    static let rollout = Shape(
        "rollout",
        [
            .optional("strategy", "canary"),
            .optional("steps", "[{weight: 5}, {weight: 50}]"),
            .optional("gates", "[errors, client-errors, latency]"),
            .optional("beforeRollout", "{gates: [change-window]}"),
            .optional("beforePromotion", "{approval: {}}"),
            .optional("afterPromotion", "{gates: [smoke-test]}"),
            .optional("onInconclusive", "pause"),
            .optional("bakeTime", "30m"),
            .optional("holdback", "5"),
            .optional("progressDeadline", "20m"),
            .optional("surge", "100%"),
            .optional("revert", "branch"),
        ]
    )
    static let step = Shape(
        "step",
        [
            .optional("weight", "5"),
            .optional("approval", "{}"),
            .optional("shadow", "{percent: 100}"),
            .optional("match", "{headers: [{name: x-canary, exact: \"true\"}]}"),
            .optional("gates", "[errors, latency]"),
            .optional("atLeast", "2m"),
            .optional("atMost", "30m"),
        ]
    )
    static let approval = Shape("approval", [])
    static let shadow = Shape("shadow", [.required("percent", "100")])
    static let match = Shape("match", [.required("headers", "[{name: x-canary, exact: \"true\"}]")])
    static let headerMatch = Shape(
        "headerMatch",
        [
            .required("name", "x-canary"),
            .optional("exact", "\"true\""),
            .optional("prefix", "beta-"),
            .optional("present", "true"),
        ]
    )
}

extension RolloutDraft {
    init(decoding members: Members) {
        self.policy.strategy = members["strategy"]?.choice(of: Strategy.self) ?? .canary
        self.decode(surge: members["surge"], of: members["strategy"])
        self.holdbackSite = members["holdback"]?.site
        self.gates = members["gates"]?.gateNames()
        if self.gates?.isEmpty == true {
            members["gates"]?.warning("without gates nothing but a crash stops a bad revision: name some")
        }
        let policy = self.policy
        self.policy.onInconclusive =
            members["onInconclusive"]?.choice(of: InconclusiveAction.self) ?? policy.onInconclusive
        self.policy.bakeTime = members["bakeTime"]?.duration(in: .zero ... .hours(24 * 30)) ?? policy.bakeTime
        if let percent = members["holdback"]?.percentage(in: 0...50) {
            self.policy.holdback = TrafficWeight(percent: percent)
            if self.policy.strategy != .canary, percent > 0 {
                members["holdback"]?.conflict(
                    with: members["strategy"],
                    "\(self.strategyInBackticks) moves all traffic at once: remove the holdback"
                )
            }
        }
        self.policy.progressDeadline =
            members["progressDeadline"]?.duration(in: .seconds(1) ... .hours(24)) ?? policy.progressDeadline
        self.policy.revert = members["revert"]?.choice(of: RevertChoice.self)?.mode
        self.decodeSignOffs(members)
        switch self.policy.strategy {
        case .canary: break
        case .blueGreen: (self.policy.steps, self.stepGates) = ([], [])
        case .recreate:
            (self.policy.steps, self.stepGates) = ([], [])
            for name in ["steps", "gates"] {
                members[name]?.conflict(
                    with: members["strategy"],
                    "`recreate` leaves nothing to compare with: remove \(name.inBackticks)"
                )
            }
            return
        }
        if let steps = members["steps"] { self.decode(steps: steps, of: members["strategy"]) }
    }

    private var strategyInBackticks: String { self.policy.strategy.rawValue.inBackticks }

    private mutating func decode(steps list: Field, of strategy: Field?) {
        guard let fields = list.list(limit: 50) else { return }
        if fields.isEmpty, self.policy.strategy == .canary {
            list.error("there must be a step: for all traffic at once, write `- weight: 100`")
        }
        self.policy.steps = []
        self.stepGates = []
        self.stepSites = fields.map(\.site)
        var weight = 0
        for field in fields {
            let members = field.members(of: .step)
            let step = members.map { Step(decoding: $0, in: field, after: &weight) }
            if let step, let members { self.check(step, members, of: strategy, after: self.policy.steps) }
            self.policy.steps.append(step ?? Step(action: .approval))
            self.stepGates.append(members?["gates"]?.gateNames())
        }
    }

    private func check(_ step: Step, _ members: Members, of strategy: Field?, after steps: [Step]) {
        switch step.action {
        case .approval, .match: break
        case .weight:
            if self.policy.strategy == .blueGreen {
                let message = "`blueGreen` moves all traffic at once after its steps"
                members["weight"]?.conflict(
                    with: strategy,
                    "\(message): remove the weight, or use `strategy: canary`"
                )
            }
        case .shadow:
            // Envoy copies whatever it splits by weight: with a weight, the canary would get its own requests twice.
            if steps.contains(where: { if case .weight = $0.action { true } else { false } }) {
                members["shadow"]?.error("only stable's requests are copied: put this step before the first `weight`")
            }
        }
    }
}

extension Step {
    /// `weight` is the percentage of the last step that had one, and then of this one.
    fileprivate init(decoding members: Members, in field: Field, after weight: inout Int) {
        var action = Action.approval
        switch members.exactlyOne(of: ["weight", "approval", "shadow", "match"]) {
        case "weight":
            guard let percent = members["weight"]?.integer(in: 1...100) else { break }
            if percent < weight {
                let message = "a rollout only goes forward: \(percent) is less than the \(weight) of a step before"
                members["weight"]?.error("\(message); sort the steps by weight")
            }
            weight = max(weight, percent)
            action = .weight(TrafficWeight(percent: percent))
        case "shadow":
            let percent = members["shadow"]?.members(of: .shadow)?["percent"]?.percentage(in: 1...100)
            if let percent { action = .shadow(TrafficWeight(percent: percent)) }
        case "match":
            if let headers = members["match"]?.members(of: .match)?["headers"] {
                action = .match(HeaderMatches(decoding: headers))
            }
        default:
            break
        }
        _ = members["approval"]?.members(of: .approval)
        let range: ClosedRange<Duration> = .zero ... .hours(24 * 30)
        self.init(action: action)
        self.atLeast = members["atLeast"]?.duration(in: range) ?? self.atLeast
        self.atMost = members["atMost"]?.duration(in: range) ?? self.atMost
        if self.atLeast > self.atMost {
            let (least, most) = (Quantity.text(self.atLeast), Quantity.text(self.atMost))
            let (l, m) = (members["atLeast"] == nil ? "default " : "", members["atMost"] == nil ? "default " : "")
            field.error("atLeast (\(l)\(least)) is longer than atMost (\(m)\(most)): set both")
        }
    }
}

extension HeaderMatches {
    fileprivate init(decoding field: Field) {
        // More than anybody needs, so that a slip cannot make the routes slow.
        let fields = field.list(limit: 8) ?? []
        if case .sequence(let nodes) = field.node.content, nodes.isEmpty {
            field.error("without a header every request would match: name one, or use `weight: 100`")
        }
        self.init(fields.compactMap { Condition(decoding: $0) })
    }
}

extension HeaderMatches.Condition {
    fileprivate init?(decoding field: Field) {
        guard let members = field.members(of: .headerMatch) else { return nil }
        let name = members["name"]?.headerName()?.lowercased()
        if let name, name.hasPrefix("x-envoy-") {
            members["name"]?.error("the router drops clients' `x-envoy-` headers: choose another name")
        }
        let value: HeaderMatches.Value?
        switch members.exactlyOne(of: ["exact", "prefix", "present"]) {
        case "exact": value = members["exact"]?.headerValue().map(HeaderMatches.Value.exact)
        case "prefix": value = members["prefix"]?.headerValue().map(HeaderMatches.Value.prefix)
        case "present":
            value = .present
            if members["present"]?.boolean() == false {
                members["present"]?.error("only `true` is possible: the header is there, with any value")
            }
        default: value = nil
        }
        guard let name, let value else { return nil }
        self.init(name: name, value: value)
    }
}

extension Field {
    /// What a header may hold: visible ASCII, and spaces inside.
    fileprivate func headerValue() -> String? {
        self.string(limit: 256, form: "a header's value, in visible ASCII characters") { text in
            !text.isEmpty && text.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
                && text.utf8.first != 0x20 && text.utf8.last != 0x20
        }
    }

    func gateNames() -> [Reference]? {
        guard let references = self.list(limit: 20)?.compactMap({ $0.reference() }) else { return nil }
        var names: Set<String> = []
        for reference in references where !names.insert(reference.name).inserted {
            self.log.error(at: reference.site, "\(reference.name.inBackticks) is listed twice: remove one")
        }
        return references
    }
}

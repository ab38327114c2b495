import Deployments

extension Shape {
    static let rollout = Shape(
        "rollout",
        [
            .optional("strategy", "canary"),
            .optional("steps", "[{weight: 5}, {weight: 50}]"),
            .optional("gates", "[errors, client-errors, latency]"),
            .optional("onInconclusive", "pause"),
            .optional("bakeTime", "30m"),
            .optional("progressDeadline", "20m"),
            .optional("surge", "100%"),
        ]
    )
    static let step = Shape(
        "step",
        [
            .optional("weight", "5"),
            .optional("approval", "{}"),
            .optional("gates", "[errors, latency]"),
            .optional("atLeast", "2m"),
            .optional("atMost", "30m"),
        ],
        unavailable: [
            "shadow": "begin with a small `weight`, such as `weight: 1`",
            "match": "begin with a small `weight`, such as `weight: 1`",
        ]
    )
    static let approval = Shape("approval", [])
}

/// How a revision takes over. One so far.
private enum Strategy: String, CaseIterable {
    case canary
}

extension RolloutDraft {
    init(decoding members: Members) {
        let instead = "use `canary`; with the one step `weight: 100` all traffic moves at once, gates still watch it"
        _ = members["strategy"]?.choice(
            of: Strategy.self,
            unavailable: ["blueGreen": instead, "recreate": instead]
        )
        if let surge = members["surge"], let percent = surge.percentage(in: 0...1000), percent != 100 {
            surge.error("only `100%` is available in this version: make room for a full second set of replicas")
        }
        self.gates = members["gates"]?.gateNames()
        if self.gates?.isEmpty == true {
            members["gates"]?.warning("without gates nothing but a crash stops a bad revision: name some")
        }
        let policy = self.policy
        self.policy.onInconclusive =
            members["onInconclusive"]?.choice(of: InconclusiveAction.self) ?? policy.onInconclusive
        self.policy.bakeTime = members["bakeTime"]?.duration(in: .zero ... .hours(24 * 30)) ?? policy.bakeTime
        self.policy.progressDeadline =
            members["progressDeadline"]?.duration(in: .seconds(1) ... .hours(24)) ?? policy.progressDeadline
        if let steps = members["steps"] { self.decode(steps: steps) }
    }

    private mutating func decode(steps field: Field) {
        guard let fields = field.list(limit: 50) else { return }
        if fields.isEmpty { field.error("there must be a step: for all traffic at once, write `- weight: 100`") }
        self.policy.steps = []
        self.stepGates = []
        self.stepFields = fields
        var weight = 0
        for field in fields {
            let members = field.members(of: .step)
            let step = members.map { Step(decoding: $0, in: field, after: &weight) }
            self.policy.steps.append(step ?? Step(action: .approval))
            self.stepGates.append(members?["gates"]?.gateNames())
        }
    }
}

extension Step {
    /// `weight` is the percentage of the last step that had one, and then of this one.
    fileprivate init(decoding members: Members, in field: Field, after weight: inout Int) {
        var action = Action.approval
        if members.exactlyOne(of: ["weight", "approval"]) == "weight",
            let percent = members["weight"]?.integer(in: 1...100)
        {
            if percent < weight {
                let message = "a rollout only goes forward: \(percent) is less than the \(weight) of a step before"
                members["weight"]?.error("\(message); sort the steps by weight")
            }
            weight = max(weight, percent)
            action = .weight(TrafficWeight(percent: percent))
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

extension Field {
    fileprivate func gateNames() -> [Reference]? {
        guard let references = self.list(limit: 20)?.compactMap({ $0.reference() }) else { return nil }
        var names: Set<String> = []
        for reference in references where !names.insert(reference.name).inserted {
            reference.field.error("\(reference.name.inBackticks) is listed twice: remove one")
        }
        return references
    }
}

import Deployments

/// The values of one document, one after the other.
struct SpecLines {
    /// The document's own, and those that positions call its layers.
    let files: [String]
    private var lines: [Line] = []

    private struct Line {
        /// `spec`, `rollout`, `steps`, `[0]`, `weight`
        var path: [String]
        var value: ExplainedSpec.Value
    }

    init(files: [String]) {
        self.files = files
    }

    // MARK: - Written values

    mutating func add(_ root: YAMLNode) {
        if let labels = root["metadata"]?["labels"] { self.add(labels, at: ["metadata", "labels"]) }
        if let spec = root["spec"] { self.add(spec, at: ["spec"]) }
    }

    private mutating func add(_ node: YAMLNode, at path: [String]) {
        switch node.content {
        case .scalar(let scalar):
            // It only says that no default holds.
            if !node.isWrittenNull { self.add(scalar.text, at: path, node.position) }
        case .mapping(let members):
            if members.isEmpty { self.add("{}", at: path, node.position) }
            for member in members { self.add(member.value, at: path + [member.key]) }
        case .sequence(let items):
            let texts = items.compactMap(\.scalarText)
            if texts.count == items.count {
                self.add("[\(texts.joined(separator: ", "))]", at: path, node.position)
            } else {
                for (index, item) in items.enumerated() { self.add(item, at: path + ["[\(index)]"]) }
            }
        }
    }

    private mutating func add(_ text: String, at path: [String], _ position: TextPosition?) {
        let place = position.map { ExplainedSpec.Place(file: self.files[$0.layer], line: $0.line) }
        let value = ExplainedSpec.Value(field: Self.field(path), text: text, place: place)
        self.lines.append(Line(path: path, value: value))
    }

    private static func field(_ path: [String]) -> String {
        path.dropFirst().reduce(path.first ?? "") { text, step in
            step.hasPrefix("[") ? text + step : "\(text).\(step.printable(limit: 128))"
        }
    }

    // MARK: - Values that are built in

    /// Adds what no file says.
    mutating func addBuiltIn(of spec: DeploymentSpec) {
        self.fill("runtime", spec.runtime.name)
        if let autoscaling = spec.autoscaling {
            self.fill("autoscaling.scaleDownAfter", Quantity.text(autoscaling.scaleDownAfter))
        } else {
            self.fill("replicas", "\(spec.replicas)")
        }
        self.fill("resources.cpu", "unlimited")
        self.fill("resources.memory", "unlimited")
        self.fill("resources.gpu", "\(spec.resources.gpu)")
        self.fill("signature", spec.signature.rawValue)
        self.fill("route.hosts", "[]")
        self.fill("route.pathPrefix", spec.route.pathPrefix)
        self.fill("route.timeout", Quantity.text(spec.route.timeout))
        for (index, objective) in spec.objectives.enumerated() {
            let before = "slos.[\(index)]"
            self.fill("\(before).name", objective.name)
            self.fill("\(before).objective", Self.text(objective.percent))
            if case .availability = objective.indicator { self.fill("\(before).indicator.availability", "{}") }
            self.fill("\(before).window", Quantity.text(objective.window))
        }
        self.addBuiltIn(of: spec.rollout)
    }

    private mutating func addBuiltIn(of policy: RolloutPolicy) {
        self.fill("rollout.strategy", policy.strategy.rawValue)
        for (index, step) in policy.steps.enumerated() {
            let before = "rollout.steps.[\(index)]"
            if case .weight(let weight) = step.action { self.fill("\(before).weight", "\(weight.percent)") }
            self.fill("\(before).atLeast", Quantity.text(step.atLeast))
            self.fill("\(before).atMost", Quantity.text(step.atMost))
        }
        if policy.strategy != .recreate {
            self.fill("rollout.gates", "[\(policy.gates.map(\.name).joined(separator: ", "))]")
        }
        self.fill("rollout.onInconclusive", policy.onInconclusive.rawValue)
        self.fill("rollout.bakeTime", Quantity.text(policy.bakeTime))
        if policy.strategy == .canary { self.fill("rollout.holdback", "\(policy.holdback.percent)") }
        self.fill("rollout.progressDeadline", Quantity.text(policy.progressDeadline))
        if policy.strategy == .canary { self.fill("rollout.surge", "\(policy.surge)%") }
        self.fill("rollout.revert", policy.revert?.rawValue ?? RevertChoice.none.rawValue)
    }

    /// - Parameters:
    ///   - path: Below `spec`.
    ///   - text: The value, unless a file says it.
    private mutating func fill(_ path: String, _ text: String) {
        let path = ["spec"] + path.split(separator: ".").map(String.init)
        guard !self.lines.contains(where: { $0.path == path }) else { return }
        self.add(text, at: path, nil)
    }

    private static func text(_ number: Double) -> String { Int(exactly: number).map { "\($0)" } ?? "\(number)" }

    // MARK: - Order

    /// As in the reference: labels, and the fields of `spec` and of its mappings in the order of their shapes.
    var sorted: [ExplainedSpec.Value] {
        self.lines.enumerated()
            .map { (key: Self.key(of: $1.path) + [$0], value: $1.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map(\.value)
    }

    private static let inner: [String: Shape] = [
        "model": .model, "autoscaling": .autoscaling, "resources": .resources, "route": .route, "rollout": .rollout,
    ]

    private static func key(of path: [String]) -> [Int] {
        guard path.first == "spec", path.count > 1 else { return [-1, 0, 0] }
        let rank = { (name: String, shape: Shape?) in shape?.names.firstIndex(of: name) ?? .max }
        var key = [rank(path[1], .deploymentSpec)]
        guard path.count > 2 else { return key + [0, 0] }
        let index = { (step: String) in Int(step.dropFirst().dropLast()) }
        key.append(index(path[2]) ?? rank(path[2], Self.inner[path[1]]))
        key.append(path.count > 3 ? index(path[3]) ?? 0 : 0)
        return key
    }
}

import Deployments
import Manifests

/// A rollout as it comes together. What is not there is left to the defaults.
struct ImportedRollout {
    var isBlueGreen = false
    var steps: [ImportedStep]?
    var gates: [String]?
    var bakeTime: Duration?
    var progressDeadline: Duration?

    /// What every rollout of ours is judged by, unless told otherwise.
    static let builtInGates = ["errors", "client-errors", "latency"]

    var node: ManifestNode? {
        let node = ManifestNode.members(
            self.isBlueGreen ? .init("strategy", .text("blueGreen")) : nil,
            self.steps.map { steps in .init("steps", .sequence(steps.map(\.item))) },
            self.gates.map { .init("gates", .flow($0)) },
            self.bakeTime.map { .init("bakeTime", .plain(Quantity.text($0))) },
            self.progressDeadline.map { .init("progressDeadline", .plain(Quantity.text($0))) }
        )
        return node == .mapping([]) ? nil : node
    }
}

struct ImportedStep {
    enum Action {
        case weight(Int)
        case approval
        case shadow(percent: Int)
        case match([ImportedHeader])
    }

    var action: Action
    var atLeast: Duration?
    /// How long its gates measure.
    var measuring: Duration = .zero
    var gates: [String]?
    var comment: String?

    init(_ action: Action, atLeast: Duration? = nil, gates: [String]? = nil, comment: String? = nil) {
        self.action = action
        self.atLeast = atLeast
        self.gates = gates
        self.comment = comment
    }

    private static let defaultAtMost: Duration = .seconds(30 * 60)

    /// Twice what it must last and what its gates measure, where the default would be less.
    private var atMost: Duration? {
        let needed = max(self.atLeast ?? .zero, self.measuring) * 2
        return needed > Self.defaultAtMost ? min(needed, ImportedDuration.longest) : nil
    }

    fileprivate var item: ManifestNode.Item {
        let node = ManifestNode.members(
            self.member,
            self.gates.map { .init("gates", .flow($0)) },
            self.atLeast.map { .init("atLeast", .plain(Quantity.text($0))) },
            self.atMost.map { .init("atMost", .plain(Quantity.text($0))) }
        )
        return .init(value: node, comment: self.comment)
    }

    private var member: ManifestNode.Member {
        switch self.action {
        case .weight(let percent): .init("weight", .plain("\(percent)"))
        case .approval: .init("approval", .mapping([]))
        case .shadow(let percent): .init("shadow", .members(.init("percent", .plain("\(percent)"))))
        case .match(let headers):
            .init("match", .members(.init("headers", .sequence(headers.map { .init(value: $0.node) }))))
        }
    }
}

/// A condition on a request's header.
struct ImportedHeader: Hashable {
    enum Value: Hashable {
        case exact(String)
        case prefix(String)
        case present
    }

    var name: String
    var value: Value

    /// Requests that ask for the preview of a `blueGreen` rollout.
    static let preview = ImportedHeader(name: "x-controller-preview", value: .exact("true"))

    fileprivate var node: ManifestNode {
        let value: ManifestNode.Member =
            switch self.value {
            case .exact(let text): .init("exact", .text(text))
            case .prefix(let text): .init("prefix", .text(text))
            case .present: .init("present", .plain("true"))
            }
        return .members(.init("name", .text(self.name)), value)
    }

    /// `{exact: …}`, `{prefix: …}` or `{regex: …}`, as Istio's and Argo's manifests say it.
    ///
    /// - Returns: Nothing when no condition of ours means the same; then it is told.
    static func read(_ name: String, _ match: ImportField?) -> ImportedHeader? {
        guard let match else { return nil }
        guard NameForm.isHeader(name) else {
            match.lost("\(name.inBackticks) is no name of a header")
            return nil
        }
        let name = name.lowercased()
        for (key, wrap) in [("exact", Value.exact), ("prefix", Value.prefix)] {
            if let text = match[key]?.text { return ImportedHeader(name: name, value: wrap(text)) }
        }
        if let regex = match["regex"]?.node.scalarText {
            if [".*", ".+", "^.*$", "^.+$"].contains(regex) {
                match.carried()
                return ImportedHeader(name: name, value: .present)
            }
            let isLiteral = { (text: Substring) in text.allSatisfy { $0.isLetter || $0.isNumber || "-_ =".contains($0) }
            }
            let core = regex.hasPrefix("^") ? regex.dropFirst() : regex[...]
            let isWhole = core.hasSuffix("$")
            if isLiteral(isWhole ? core.dropLast() : core), !core.isEmpty {
                match.carried()
                return ImportedHeader(name: name, value: .exact(String(isWhole ? core.dropLast() : core)))
            }
            if core.hasSuffix(".*"), isLiteral(core.dropLast(2)), core.count > 2 {
                match.carried()
                return ImportedHeader(name: name, value: .prefix(String(core.dropLast(2))))
            }
        }
        match.lost("a header is matched by `exact`, `prefix` or `present: true`, not by a pattern")
        return nil
    }
}

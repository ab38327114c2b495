/// A value of a document, with its path and a log for what is wrong with it.
///
/// Its readers answer nothing, after having logged why, when the value is not what they want; so one pass finds every
/// problem.
package struct Field {
    package let node: YAMLNode
    package let log: DiagnosticLog
    private let steps: ValuePath
    private let example: String
    let layering: Layering

    /// What a mapping has to do with those of other files.
    enum Layering {
        /// Nothing.
        case none
        /// It may be laid over defaults: a member that is `null`, written out, is one that is not there.
        case manifest
        /// It is laid below manifests, and need not have all that is required.
        case defaults
    }

    package init(document: YAMLNode, log: DiagnosticLog) {
        self.init(node: document, steps: .document, example: "", log: log, layering: .none)
    }

    private init(node: YAMLNode, steps: ValuePath, example: String, log: DiagnosticLog, layering: Layering) {
        self.node = node
        self.steps = steps
        self.example = example
        self.log = log
        self.layering = layering
    }

    /// The same value, for the mappings in it too, but not for those in lists: these replace each other whole.
    func layered(as layering: Layering) -> Field {
        Field(node: self.node, steps: self.steps, example: self.example, log: self.log, layering: layering)
    }

    /// `spec.rollout.steps[0].weight`; empty for the document.
    package var path: String { self.steps.text }

    /// To speak of the value later.
    var site: Site { Site(path: self.steps, position: self.node.position) }

    var asContainer: ValuePath.Container { self.steps.asContainer }

    func member(_ member: YAMLNode.Member, in container: ValuePath.Container, example: String = "") -> Field {
        Field(
            node: member.value,
            steps: container.member(member.key),
            example: example,
            log: self.log,
            layering: self.layering
        )
    }

    func path(of key: String) -> String { self.asContainer.member(key).text }

    /// Without the path before it.
    private var name: String {
        self.path.split(separator: ".").last.map(String.init) ?? ""
    }

    package func error(_ message: String) {
        self.log.error(at: self.site, message)
    }

    /// Logs that the value does not go together with another of the document.
    func conflict(with other: Field?, _ message: String) {
        self.log.conflict(at: self.site, with: other?.site, message)
    }

    package func warning(_ message: String) {
        self.log.warning(at: self.site, message)
    }

    /// Logs that the value is of the wrong type or form.
    package func expected(_ what: String) {
        let example = self.example.isEmpty ? "" : ": write for example `\(self.name): \(self.example)`"
        self.error("expected \(what), found \(self.found)\(example)")
    }

    private var found: String {
        switch self.node.content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            switch scalar.meaning {
            case .null: return "nothing"
            case .boolean, .number: return scalar.text.inBackticks
            case .string: return "the text \(scalar.text.inBackticks)"
            }
        }
    }

    // MARK: - Lists and mappings

    /// Whether a member only says that a default does not hold. An empty value is none such: it is easily left behind.
    func leavesOut(_ member: YAMLNode.Member) -> Bool {
        self.layering != .none && member.value.isWrittenNull
    }

    /// The items of a list.
    package func list(limit: Int = 64) -> [Field]? {
        guard case .sequence(let nodes) = self.node.content else {
            self.expected("a list")
            return nil
        }
        guard nodes.count <= limit else {
            self.error("at most \(limit) items are allowed, there are \(nodes.count)")
            return nil
        }
        let container = self.asContainer
        return nodes.enumerated().map { index, node in
            Field(node: node, steps: container.item(index), example: "", log: self.log, layering: .none)
        }
    }

    /// Where members stand that are in another file than the document.
    var inheritedMembers: [String: Site] {
        guard case .mapping(let members) = self.node.content else { return [:] }
        var sites: [String: Site] = [:]
        for member in members where member.keyPosition.layer != 0 {
            sites[member.key] = self.member(member, in: self.asContainer).site
        }
        return sites
    }

    /// The members of a mapping whose keys are the author's own.
    package func dictionary<Value>(
        limit: Int = 64,
        key isKey: (String) -> Bool,
        keyForm: String,
        value: (Field) -> Value?
    ) -> [String: Value]? {
        guard case .mapping(let members) = self.node.content else {
            self.expected("a mapping")
            return nil
        }
        guard members.count <= limit else {
            self.error("at most \(limit) entries are allowed, there are \(members.count)")
            return nil
        }
        let container = self.asContainer
        var values: [String: Value] = [:]
        for member in members where !self.leavesOut(member) {
            if isKey(member.key) {
                values[member.key] = value(self.member(member, in: container))
            } else {
                let message = "\(member.key.inBackticks) can't be a name here: it must be \(keyForm)"
                self.log.add(.error, at: member.keyPosition, field: self.path(of: member.key), message)
            }
        }
        return values
    }
}

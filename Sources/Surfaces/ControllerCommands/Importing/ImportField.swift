import Manifests

/// A value of an input document, with its path and the ledger that it is accounted for in.
///
/// Looking at a value is not enough: `text` and `integer` mark a scalar as carried over, the others say what became of
/// a whole branch.
struct ImportField {
    let node: YAMLNode
    let path: String
    let ledger: ImportLedger

    /// The member of that name. One that is `null` is as if it were not there.
    subscript(key: String) -> ImportField? {
        guard let value = self.node[key] else { return nil }
        let field = self.member(key, value)
        return field.isNull ? nil : field
    }

    var isNull: Bool {
        if case .scalar(let scalar) = self.node.content { scalar.meaning == .null } else { false }
    }

    var items: [ImportField] {
        guard case .sequence(let nodes) = self.node.content else { return [] }
        return nodes.enumerated().map { index, node in
            ImportField(node: node, path: "\(self.path)[\(index)]", ledger: self.ledger)
        }
    }

    var members: [(key: String, field: ImportField)] {
        guard case .mapping(let members) = self.node.content else { return [] }
        return members.map { ($0.key, self.member($0.key, $0.value)) }
    }

    var children: [ImportField] { self.items + self.members.map(\.field) }

    private func member(_ key: String, _ value: YAMLNode) -> ImportField {
        let isPlain = key.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil
        let step = isPlain ? (self.path.isEmpty ? key : ".\(key)") : "[\"\(key)\"]"
        return ImportField(node: value, path: self.path + step, ledger: self.ledger)
    }

    // MARK: - Reading

    /// A scalar's text, carried over.
    var text: String? {
        guard let text = self.node.scalarText, !self.isNull else { return nil }
        self.carried()
        return text
    }

    var integer: Int? {
        guard let text = self.node.scalarText, let number = Int(text) else { return nil }
        self.carried()
        return number
    }

    var number: Double? {
        guard let text = self.node.scalarText, let number = Double(text), number.isFinite else { return nil }
        self.carried()
        return number
    }

    var boolean: Bool? {
        guard case .scalar(let scalar) = self.node.content, case .boolean(let value) = scalar.meaning else {
            return nil
        }
        self.carried()
        return value
    }

    /// `90s`, `1h30m`, `1.5h`, and a number of seconds.
    var duration: Duration? {
        guard let text = self.node.scalarText, let duration = ImportedDuration.parse(text) else { return nil }
        self.carried()
        return duration
    }

    // MARK: - Accounting

    /// All of it is in a manifest.
    func carried() {
        self.ledger.mark(self, as: .told)
    }

    /// Somebody accounted for all of it.
    var isTold: Bool { self.ledger.isTold(self.path) }

    /// None of it says anything that could be missed.
    func meaningless() {
        self.ledger.mark(self, as: .meaningless)
    }

    /// It has no place in a manifest; `instead` is what to do.
    func lost(_ instead: String) {
        self.tell(.lost, instead)
    }

    /// A person must fill in what it says.
    func decide(_ what: String) {
        self.tell(.decide, what)
    }

    /// It became something of the same intent.
    func chosen(_ what: String) {
        self.tell(.chosen, what)
    }

    private func tell(_ outcome: ImportFinding.Outcome, _ message: String) {
        self.carried()
        self.ledger.add(outcome, at: self.node.position, field: self.path, message)
    }

    /// Lists each of these members that is there as lost, with what to do instead.
    func lose(_ advice: KeyValuePairs<String, String>) {
        for (key, instead) in advice { self[key]?.lost(instead) }
    }

    func disregard(_ keys: String...) {
        for key in keys { self[key]?.meaningless() }
    }
}

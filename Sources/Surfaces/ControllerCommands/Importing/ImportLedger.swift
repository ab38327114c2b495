import Manifests

/// What became of each value of one document of the input. What nobody accounted for is listed at the end, so nothing
/// is dropped in silence.
final class ImportLedger {
    enum Mark {
        /// It is in a manifest, or in a finding.
        case told
        /// It says nothing that anybody could miss: what a cluster wrote, or how pods are found.
        case meaningless
    }

    let path: String
    private var marks: [String: Mark] = [:]
    /// The fields that were taken for meaningless, and where they are.
    private var meaninglessFields: [String: TextPosition] = [:]
    private(set) var findings: [ImportFinding] = []
    private var seen: Set<ImportFinding> = []

    init(path: String) {
        self.path = path
    }

    func mark(_ field: ImportField, as mark: Mark) {
        self.marks[field.path] = mark
        self.meaninglessFields[field.path] = mark == .meaningless ? field.node.position : nil
    }

    func isTold(_ field: String) -> Bool { self.marks[field] == .told }

    /// Whether anybody looked into the document.
    var isTouched: Bool { !self.marks.isEmpty }

    func add(_ outcome: ImportFinding.Outcome, at position: TextPosition, field: String, _ message: String) {
        let finding = ImportFinding(
            outcome: outcome,
            path: self.path,
            line: position.line,
            column: position.column,
            field: field,
            message: message
        )
        // A template that several rollouts name is read for each of them.
        if self.seen.insert(finding).inserted { self.findings.append(finding) }
    }

    /// Lists every value that has no mark itself, above or below it; the highest of each branch only.
    func listUnread(of document: ImportField) {
        guard !document.isNull, self.marks[document.path] == nil else { return }
        let children = document.children
        if children.isEmpty || !children.contains(where: self.isKnown) {
            document.lost("this command does not know the field: see whether one of ours does the same")
            return
        }
        for child in children { self.listUnread(of: child) }
    }

    private func isKnown(_ field: ImportField) -> Bool {
        self.marks[field.path] != nil || field.children.contains(where: self.isKnown)
    }

    var meaningless: [(field: String, position: TextPosition)] {
        self.meaninglessFields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

import Reconciliation

/// The table of a comment: what became of each deployment that a pull request changed.
struct OutcomeTable {
    /// The lines by deployment, as they stand.
    private var lines: [String: String] = [:]

    /// Forges take 65,536 characters, and each line has some hundred.
    private static let maxLines = 100

    init() {}

    /// What a comment of ours says; what is not one of its lines is left out.
    init(of body: String) {
        for line in body.split(whereSeparator: \.isNewline) {
            guard line.hasPrefix("| `"), let end = line.dropFirst(3).firstIndex(of: "`"), line.count < 1000 else {
                continue
            }
            self.lines[String(line.dropFirst(3)[..<end])] = String(line)
        }
    }

    /// The whole comment, with `report` in its deployment's line.
    func with(_ report: RolloutReport, under marker: String) -> String {
        let own =
            "| `\(report.deployment)` | \(Self.word(for: report)) | \(ForgeText.cell(report.label, limit: 80)) "
            + "| \(ForgeText.cell(report.reason, limit: 300)) | \(report.time.prefix(19))Z |"
        let others = self.lines.filter { $0.key != report.deployment }.sorted { $0.key < $1.key }
        let all = others.prefix(Self.maxLines - 1).map { ($0.key, $0.value) } + [(report.deployment, own)]
        return """
            \(marker)
            ### What became of this

            | deployment | outcome | model | why | when |
            |---|---|---|---|---|
            \(all.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: "\n"))

            """
    }

    private static func word(for report: RolloutReport) -> String {
        switch report.state {
        case .running: "rolling out"
        case .succeeded, .failed, .superseded: "**\(report.outcome)**"
        }
    }
}

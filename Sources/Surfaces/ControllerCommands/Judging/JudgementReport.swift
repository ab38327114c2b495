import Analysis
import ArgumentParser
import ControllerWords

/// The answer to one line.
struct Judgement: Encodable {
    var id: HoldName
    /// Nothing by the rules of other tools, as is `logE`.
    var phi: Double?
    var rollbackPoll: Int?
    var logE: Double?

    private enum Key: String, CodingKey {
        case id, phi
        case rollbackPoll = "rollback_poll"
        case logE = "log_e"
    }

    /// What is not there is written as `null`, not left out.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(self.id, forKey: .id)
        try container.encode(self.phi, forKey: .phi)
        try container.encode(self.rollbackPoll, forKey: .rollbackPoll)
        try container.encode(self.logE, forKey: .logE)
    }
}

package enum JudgementFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case json, csv, table
}

package enum PresetArgument: String, ExpressibleByArgument, CaseIterable, Sendable {
    case controller, flagger, argo, kayenta

    var preset: JudgePreset {
        switch self {
        case .controller: .controller
        case .flagger: .flagger
        case .argo: .argo
        case .kayenta: .kayenta
        }
    }
}

extension JudgePreset {
    /// Nothing for ours, which has more to say than when it would roll back.
    var otherJudge: (any HoldJudge)? { self == .controller ? nil : self.judge() }
}

/// Writes answers as they come; a table, when all are there.
struct JudgementReport {
    private let format: JudgementFormat
    private let parameters: AnalysisParameters
    private var table = TextTable("ID", "POLLS", "CANARY BAD", "STABLE BAD", "PHI", "EVIDENCE", "ROLLED BACK")
    private var rolledBack = 0
    private var count = 0

    init(_ format: JudgementFormat, parameters: AnalysisParameters) {
        self.format = format
        self.parameters = parameters
    }

    mutating func add(_ judgement: Judgement, _ named: NamedHold, on console: Console) throws {
        self.count += 1
        if judgement.rollbackPoll != nil { self.rolledBack += 1 }
        switch self.format {
        case .json:
            try console.output(try JSONText.render(judgement, compact: true))
        case .csv:
            if self.count == 1 { try console.output("id,phi,rollback_poll,log_e\n") }
            let numbers = [
                judgement.phi.map { "\($0)" }, judgement.rollbackPoll.map { "\($0)" }, judgement.logE.map { "\($0)" },
            ]
            let cells = [Self.quoted(judgement.id.description)] + numbers.map { $0 ?? "" }
            try console.output(cells.joined(separator: ",") + "\n")
        case .table:
            self.addRow(judgement, named.hold)
        }
    }

    private mutating func addRow(_ judgement: Judgement, _ hold: RecordedHold) {
        let canary = hold.polls.compactMap(\.canary).reduce(EventCounts(), +)
        let stable = hold.polls.compactMap(\.stable).reduce(EventCounts(), +)
        let seconds = hold.polls.first?.seconds ?? 0
        let rollback = judgement.rollbackPoll.map { poll in
            "poll \(poll), after \(TimeText.span(Double(poll) * seconds))"
        }
        let limit = Self.number(self.parameters.breachLimit)
        self.table.add(
            StyledText(judgement.id.description),
            StyledText("\(hold.polls.count)"),
            StyledText(Self.text(canary)),
            StyledText(Self.text(stable)),
            StyledText(judgement.phi.map { Self.number($0) } ?? "-"),
            StyledText(judgement.logE.map { "\(Self.number($0)) of \(limit)" } ?? "-"),
            rollback.map { StyledText($0, .red) } ?? StyledText("no")
        )
    }

    func finish(on console: Console) throws {
        switch self.format {
        case .json: break
        case .csv: if self.count == 0 { try console.output("id,phi,rollback_poll,log_e\n") }
        case .table:
            try console.print(self.table.lines(width: console.terminal()?.columns))
            try console.print(StyledText("\(self.rolledBack) of \(self.count) rolled back"))
        }
    }

    private static func text(_ counts: EventCounts) -> String {
        counts.rate.map { "\(NumberText.percent($0)) of \(counts.total)" } ?? "no requests"
    }

    private static func number(_ value: Double) -> String { NumberText.number(value, decimals: 2) }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}

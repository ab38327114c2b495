package import ArgumentParser
import ControllerAPI
import Decisions
import Deployments
import Foundation
import Rollouts

package struct ReplayCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Decide again what was decided, from an export; no controller needed.",
        discussion: """
            Makes every decision of the file again and compares it with what was recorded, byte for byte. It needs
            nothing but the file, on any machine. It exits with 0 when all come out the same, 1 at the first that does
            not, 2 when the file cannot be read.

            EXAMPLES
              controller history --export night.jsonl
              controller replay night.jsonl
              controller replay night.jsonl search/file-type --until 2026-11-25T02:41:00Z --step
              controller replay night.jsonl --preset flagger --preset kayenta
              ssh host controller history --export - | controller replay - --output json
            """
    )

    @Argument(help: ArgumentHelp("What `controller history --export` wrote; - is stdin.", valueName: "file"))
    package var file: String

    @Argument(help: ArgumentHelp("Only this deployment.", valueName: "name"))
    package var name: DeploymentArgument?

    @Option(help: ArgumentHelp("Stop after this time, in UTC: 2026-11-25T02:41:00Z.", valueName: "time"))
    package var until: TimeArgument?

    @Flag(
        help: ArgumentHelp(
            "Show every decision: what was new, what changed, what was done. On a terminal one by one, forwards, "
                + "backwards and by number."
        )
    )
    package var step = false

    @Option(help: "Also say what the rule of flagger, argo or kayenta would have done with each rollout's errors.")
    package var preset: [PresetArgument] = []

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func validate() throws {
        if self.step, self.output == .yaml {
            throw ValidationError("--step writes a JSON document on a line, or a table: use --output json.")
        }
    }

    package func run(on console: Console) async throws {
        var reader = try LineReader(path: self.file)
        var (replay, report) = (Replay(), ReplayReport())
        var presets = self.preset.map { PresetReplay($0.preset) }
        let next = { () throws -> ReplayReport.Step? in
            guard report.agrees, let step = try self.next(&replay, &reader) else { return nil }
            report.add(step)
            if let decision = step.decision { for index in presets.indices { presets[index].add(decision) } }
            return ReplayReport.Step(step)
        }
        if self.step, self.output == .table, let keyboard = console.keyboard, console.terminal() != nil {
            var stepper = DecisionStepper(console: console, next: next)
            if try stepper.run(keyboard: keyboard) == .left, report.agrees {
                return console.tell(StyledText("left after \(report.decisions) decisions, which came out as recorded"))
            }
        } else {
            while let step = try next() {
                if self.step { try self.print(step, on: console) }
            }
        }
        if !presets.isEmpty { report.presets = presets.flatMap(\.verdicts) }
        guard report.agrees else {
            try self.print(report, on: console)
            // The output says it all.
            throw CommandFailure(code: .refused, message: "")
        }
        guard replay.isComplete else {
            throw CommandFailure(
                code: .usage,
                message: "\(self.file):\(reader.number): the export is cut off here: export it anew"
            )
        }
        guard report.decisions > 0 else {
            throw CommandFailure(code: .usage, message: "\(self.file) holds no decision \(self.wanted)")
        }
        try self.print(report, on: console)
    }

    /// Makes the next decision of the file that is wanted again; nothing after the last.
    private func next(_ replay: inout Replay, _ reader: inout LineReader) throws -> Replay.Step? {
        while let line = try reader.next() {
            do {
                if let step = try replay.take(line, where: self.isWanted) { return step }
            } catch {
                throw CommandFailure(
                    code: error.code == .altered ? .refused : .usage,
                    message: "\(self.file):\(reader.number): \(error.message)"
                )
            }
        }
        return nil
    }

    private func isWanted(_ record: RecordedDecision) -> Bool {
        (self.name == nil || self.name?.id == record.deployment)
            && (self.until.map { Date(record.time) <= $0.date } ?? true)
    }

    private var wanted: String {
        [self.name.map { "of \($0.id)" }, self.until.map { "until \(APICoding.text(of: $0.date))" }]
            .compactMap(\.self).joined(separator: " ")
    }

    private func print(_ step: ReplayReport.Step, on console: Console) throws {
        if self.output == .table { return try console.print(step.lines) }
        try console.output(try JSONText.render(step, compact: true))
    }

    private func print(_ report: ReplayReport, on console: Console) throws {
        // After steps the report is one more line.
        if self.step, self.output == .json { return try console.output(try JSONText.render(report, compact: true)) }
        try self.output.print(report, on: console) { report.lines }
    }
}

import Analysis
package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation
import Simulation

package struct CalibrateCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Say how your gates would do on your own stable traffic.",
        discussion: """
            Splits what a stable revision counted by lot into a canary's part and the rest, many times, and judges the
            canary as a rollout would: how often would a model that is identical be rolled back (A/A), how soon would
            one be found that fails more often, and which regression is the step's time enough for?

            The traffic is the last half hour of a deployment, as the controller counted it: its errors, or what
            another built-in gate calls bad. Or it is a file with `requests,bad` a line: of a ratio gate, what its two
            counters grew by. The record's own bursts, swings and incidents stay as they were.

            EXAMPLES
              controller calibrate search/file-type
              controller calibrate search/file-type --gate latency
              controller calibrate search/file-type --weight 10% --step 15m --gates 3 --plot detection.svg
              controller calibrate --traffic night.csv --poll 30s --output json
              controller calibrate --traffic wrong-answers.csv --max-ratio 1.5 --max-difference 1% --lag-robust
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument?

    @Option(
        help: ArgumentHelp("A record instead: requests,bad a line; - is stdin.", valueName: "file"),
        completion: .file()
    )
    package var traffic: String?

    @Option(help: ArgumentHelp("How long a line of the file is.", valueName: "duration"))
    package var poll = DurationArgument(seconds: 10)

    @Option(help: ArgumentHelp("Whose bad answers: errors, client-errors or latency.", valueName: "gate"))
    package var gate: CalibratedGate = .errors

    @Option(help: ArgumentHelp("The canary's share of the traffic.", valueName: "percent"))
    package var weight = ShareArgument(share: 0.05)

    @Option(help: ArgumentHelp("How long the step lasts, its atMost.", valueName: "duration"))
    package var step = DurationArgument(seconds: 1800)

    @Option(help: ArgumentHelp("Steps of the rollout, this being the first.", valueName: "number"))
    package var steps: Int = 3

    @Option(help: ArgumentHelp("Gates that share the error budget.", valueName: "number"))
    package var gates: Int = 3

    @Option(help: ArgumentHelp("A ratio gate's maxRatio: as many times as bad is allowed.", valueName: "number"))
    package var maxRatio: Double = AnalysisParameters.default.breachRatio

    @Option(help: ArgumentHelp("A ratio gate's maxDifference, what is allowed on top: 1%.", valueName: "percent"))
    package var maxDifference = ShareArgument(share: 0)

    @Flag(help: "Canary and stable are not read in one instant, as a metric provider's counters are not.")
    package var lagRobust = false

    @Option(help: ArgumentHelp("So many canaries of each kind: 10 to 100000.", valueName: "number"))
    package var runs: Int = 1000

    @Option(help: ArgumentHelp("Chance is drawn from it.", valueName: "number"))
    package var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Also draw the time to detection against the size of the regression.",
            valueName: "file.svg"
        ),
        completion: .file()
    )
    package var plot: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard (self.name == nil) != (self.traffic == nil) else {
            throw ValidationError("Give a deployment's name, or --traffic with a file.")
        }
        let isOfRatio = self.maxRatio != AnalysisParameters.default.breachRatio || self.maxDifference.share > 0
        guard self.traffic != nil || !(isOfRatio || self.lagRobust) else {
            throw ValidationError(
                "--max-ratio, --max-difference and --lag-robust are a ratio gate's: give what its counters grew by "
                    + "with --traffic. The built-in gates always allow 1.1 times."
            )
        }
        guard self.weight.share > 0, self.weight.share < 1 else {
            throw ValidationError("--weight must be more than 0% and less than 100%.")
        }
        guard self.poll.duration <= self.step.duration, self.step.duration <= .hours(24) else {
            throw ValidationError("--step must be from one --poll to 24h.")
        }
        guard (1...100).contains(self.steps) else { throw ValidationError("--steps must be from 1 to 100.") }
        guard self.maxRatio >= 1, self.maxRatio <= 100 else {
            throw ValidationError("--max-ratio must be from 1 to 100.")
        }
        guard self.maxDifference.share < 1 else { throw ValidationError("--max-difference must be less than 100%.") }
        guard (1...100).contains(self.gates) else { throw ValidationError("--gates must be from 1 to 100.") }
        guard (10...100_000).contains(self.runs) else { throw ValidationError("--runs must be from 10 to 100000.") }
    }

    package func run(on console: Console) async throws {
        var assumptions = Calibration.Assumptions()
        assumptions.weight = self.weight.share
        assumptions.stepSeconds = self.step.duration / .seconds(1)
        assumptions.plannedSteps = self.steps
        assumptions.gates = self.gates
        assumptions.parameters.breachRatio = self.maxRatio
        assumptions.parameters.breachDifference = self.maxDifference.share
        assumptions.isLagging = self.lagRobust
        assumptions.runs = self.runs
        assumptions.seed = self.seed
        let (pieces, source, bound) = try await self.record(on: console, &assumptions)
        guard pieces.contains(where: { $0.total > 0 }) else {
            throw CommandFailure(
                code: .refused,
                message: "\(source) holds no requests: there is nothing to split"
            )
        }
        if pieces.count < 30 {
            console.tell(
                StyledText("warning: a record of \(pieces.count) pieces says little of bursts and swings", .yellow)
            )
        }
        let calibration = await Calibration(pieces, assumptions)
        let report = CalibrationReport(calibration, of: source, gate: self.gate, boundMilliseconds: bound)
        if let plot = self.plot {
            do {
                try Data(CalibrationPlot(report).svg.utf8).write(to: URL(filePath: plot))
            } catch {
                throw CommandFailure(
                    code: .usage,
                    message: "\(plot) cannot be written: \(error.localizedDescription)"
                )
            }
        }
        try self.output.print(report, on: console) { report.lines }
    }

    /// - Returns: The pieces, what they were recorded of, and the bound above which an answer is slow, if known.
    private func record(
        on console: Console,
        _ assumptions: inout Calibration.Assumptions
    ) async throws -> ([EventCounts], String, Double?) {
        if let traffic = self.traffic {
            assumptions.pieceSeconds = self.poll.duration / .seconds(1)
            return (try TrafficRecord.read(traffic), traffic == "-" ? "stdin" : traffic, nil)
        }
        guard let name = self.name else { return ([], "", nil) }
        let record: TrafficStatus
        do {
            record = try await self.connection.client(console).traffic(of: name.id)
        } catch {
            throw CommandFailure(error)
        }
        assumptions.pieceSeconds = record.pieceSeconds
        let pieces =
            switch self.gate {
            case .errors: record.errors
            case .clientErrors: record.clientErrors
            case .latency: record.latency?.pieces
            }
        guard let pieces else {
            throw CommandFailure(
                code: .refused,
                message: "\(name.id) has no bound above which an answer is slow: add a latency objective, of at "
                    + "least the smallest bound of the router's histogram"
            )
        }
        return (
            pieces.map { EventCounts(bad: $0.bad, total: $0.requests) }, "\(name.id)",
            self.gate == .latency ? record.latency?.boundMilliseconds : nil
        )
    }
}

import Analysis
import ControllerWords
import Foundation
import Simulation

/// What a calibration found, for programs and for people.
package struct CalibrationReport: Codable, Hashable, Sendable {
    /// What was recorded, and of what.
    package var source: String
    /// Whose bad answers they are.
    package var gate: CalibratedGate
    /// Above which an answer is slow; nothing when that is not known, or does not matter.
    package var boundMilliseconds: Double?
    package var requestsPerSecond: Double
    package var requests: Int64
    package var bad: Int64
    /// φ: how strongly failures come in bursts; 1 when they do not.
    package var burst: Double
    package var weightPercent: Double
    package var stepSeconds: Double
    package var gates: Int
    package var alpha: Double
    /// Identical first, then ever worse.
    package var canaries: [Canary]

    package struct Canary: Codable, Hashable, Sendable {
        /// How many times as often as stable it fails.
        package var factor: Double
        package var runs: Int
        package var rolledBack: Int
        /// Seconds until a tenth, a half, nine tenths of all runs were rolled back; nothing when fewer were.
        package var p10Seconds: Double?
        package var medianSeconds: Double?
        package var p90Seconds: Double?
        /// Its failed requests until then, the median of those that were rolled back.
        package var medianBad: Double?

        var share: Double { Double(self.rolledBack) / Double(max(1, self.runs)) }
    }

    init(_ calibration: Calibration, of source: String, gate: CalibratedGate, boundMilliseconds: Double?) {
        let assumptions = calibration.assumptions
        self.source = source
        self.gate = gate
        self.boundMilliseconds = boundMilliseconds
        self.requestsPerSecond = calibration.requestsPerSecond
        self.requests = calibration.traffic.total
        self.bad = calibration.traffic.bad
        self.burst = calibration.burst
        self.weightPercent = assumptions.weight * 100
        self.stepSeconds = assumptions.stepSeconds
        self.gates = assumptions.gates
        self.alpha = assumptions.parameters.alpha
        self.canaries = calibration.outcomes.map { outcome in
            Canary(
                factor: outcome.factor,
                runs: outcome.runs,
                rolledBack: outcome.seconds.count,
                p10Seconds: outcome.quantile(0.1),
                medianSeconds: outcome.quantile(0.5),
                p90Seconds: outcome.quantile(0.9),
                medianBad: outcome.medianBad
            )
        }
    }
}

extension CalibrationReport {
    var lines: [StyledText] {
        let rate = EventCounts(bad: self.bad, total: self.requests).rate ?? 0
        let step = TimeText.span(self.stepSeconds)
        let lines = [
            StyledText("\(self.source)  ", .bold)
                + StyledText(
                    "\(NumberText.number(self.requestsPerSecond, decimals: 1)) requests/s, "
                        + "\(NumberText.percent(rate)) of \(self.requests) \(self.badWord)"
                ),
            StyledText(
                self.burst > 1
                    ? "  \(self.noun) come in bursts: evidence weighs \(Self.times(self.burst)) less"
                    : "  \(self.noun) do not come in bursts"
            ),
            StyledText(
                "  a step of \(NumberText.number(self.weightPercent, decimals: 1)) % for \(step), judged by "
                    + (self.gates == 1 ? "one gate" : "\(self.gates) gates")
            ),
            "",
        ]
        var table = TextTable("THE CANARY", "ROLLED BACK", "AFTER (MEDIAN)", "9 OF 10 BY", "ITS BAD ANSWERS")
        for canary in self.canaries {
            let isIdentical = canary.factor == 1
            table.add(
                StyledText(isIdentical ? "is identical" : "\(Self.times(canary.factor)) as many \(self.gate.plural)"),
                StyledText(
                    "\(NumberText.percent(canary.share)) of \(canary.runs)",
                    isIdentical && canary.share > self.alpha ? .red : .plain
                ),
                StyledText(canary.medianSeconds.map(TimeText.span) ?? "-"),
                StyledText(canary.p90Seconds.map(TimeText.span) ?? "-"),
                StyledText(isIdentical ? "-" : canary.medianBad.map { NumberText.number($0, decimals: 0) } ?? "-")
            )
        }
        return lines + table.lines(width: nil) + ["", self.conclusion(step: step)]
    }

    private var badWord: String {
        switch self.gate {
        case .errors: "bad"
        case .clientErrors: "refused (4xx)"
        case .latency:
            self.boundMilliseconds.map { "slower than \(NumberText.number($0, decimals: 3)) ms" } ?? "slow"
        }
    }

    private var noun: String { self.gate == .errors ? "failures" : self.gate.plural }

    private func conclusion(step: String) -> StyledText {
        guard let found = self.canaries.first(where: { $0.factor > 1 && $0.share >= 0.9 }) else {
            return StyledText(
                "Nothing that was tried is found by 9 of 10 within \(step): give the step more time or weight.",
                .yellow
            )
        }
        return StyledText(
            "Within \(step), 9 of 10 rollouts find a canary with \(Self.times(found.factor)) as many "
                + "\(self.gate.plural) as stable."
        )
    }

    static func times(_ factor: Double) -> String {
        factor == 2 ? "twice" : "\(NumberText.number(factor, decimals: 1)) times"
    }
}

import ControllerWords
import Foundation
import Simulation

extension SimulationReport {
    var lines: [StyledText] {
        let rate = self.rate == self.rate.rounded() ? "\(Int(self.rate))" : "\(self.rate)"
        var lines = [
            StyledText("\(self.deployment)  ", .bold) + StyledText("\(self.model) at \(rate) requests/s"),
            StyledText("  stable: \(Self.text(self.stable))"), StyledText("  canary: \(Self.text(self.canary))"), "",
        ]
        if let run = self.runs.first, let events = run.events {
            lines += Self.timeline(events) + [""] + Self.verdict(of: run)
        } else {
            lines += self.table
        }
        return lines
    }

    private static func text(_ quality: Rehearsal.Quality) -> String {
        let shares = [
            (quality.errors, "errors"), (quality.clientErrors, "refused (4xx)"), (quality.slow, "slow"),
        ]
        return shares.map { "\(ShareArgument(share: $0.0)) \($0.1)" }.joined(separator: ", ")
    }

    private static func timeline(_ events: [Event]) -> [StyledText] {
        TextTable.aligned(
            [["AFTER", "EVENT", "WHAT"].map { StyledText($0, .dim) }]
                + events.map { event in
                    [
                        StyledText(TimeText.span(Double(event.afterSeconds))),
                        StyledText(event.kind, HistoryTable.style(of: event.kind)), StyledText(event.message),
                    ]
                }
        )
    }

    private static func verdict(of run: Run) -> [StyledText] {
        let time = TimeText.span(Double(run.decidedAfterSeconds ?? run.endedAfterSeconds))
        let canary =
            "\(run.canaryRequests) requests of users reached the canary, \(run.canaryFailures) of them failed."
        switch run.verdict {
        case "promoted":
            return [StyledText("✔ promoted ", .green) + StyledText("\(time) after the merge. Until then \(canary)")]
        case "rolled-back":
            return [
                StyledText("✖ rolled back ", .red) + StyledText("\(time) after the merge: \(run.reason ?? "")"),
                StyledText("  \(canary)"),
            ]
        default:
            return [
                StyledText("… open ", .yellow) + StyledText("after \(time): \(run.reason ?? "")"),
                StyledText("  \(canary)"),
            ]
        }
    }

    private var table: [StyledText] {
        let seeds = "\(self.runs.first?.seed ?? 0) to \(self.runs.last?.seed ?? 0)"
        var table = TextTable("OUTCOME", "RUNS", "MEDIAN", "LEAST", "MOST", "WHY")
        for (name, outcome, style) in [
            ("promoted", self.summary.promoted, StyledText.Style.green),
            ("rolled back", self.summary.rolledBack, .red), ("open", self.summary.open, .yellow),
        ] where outcome.runs > 0 {
            let times = [outcome.medianSeconds, outcome.leastSeconds, outcome.mostSeconds].map {
                StyledText($0.map { TimeText.span(Double($0)) } ?? "-")
            }
            let reasons = outcome.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            table.add(
                StyledText(name, style),
                StyledText("\(outcome.runs)"),
                times[0],
                times[1],
                times[2],
                StyledText(reasons)
            )
        }
        let failures =
            "failed answers of the canary to users, a run: median \(self.summary.canaryFailuresMedian), most "
            + "\(self.summary.canaryFailuresMost)"
        return table.lines(width: nil) + ["", StyledText("\(self.runs.count) runs, seeds \(seeds); \(failures)")]
    }
}

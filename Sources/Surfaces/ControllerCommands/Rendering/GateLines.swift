package import ControllerAPI

/// The gates of the current step, with the evidence for and against the next weight.
package enum GateLines {
    package static func lines(_ gates: [GateStatus]) -> [StyledText] {
        let titles = TextTable.aligned(
            gates.map { gate in
                let (mark, style) = Self.mark(gate.outcome)
                return [
                    StyledText("\(mark) ", style) + StyledText(gate.name, .bold),
                    StyledText(gate.outcome, style),
                    StyledText(gate.value),
                ]
            }
        )
        return zip(titles, gates).flatMap { title, gate in [title] + Self.details(gate) }
    }

    private static func details(_ gate: GateStatus) -> [StyledText] {
        // On lines of their own, so that a narrow terminal cuts none of them off.
        var lines: [StyledText] = gate.limit.isEmpty ? [] : [StyledText("    must be \(gate.limit)", .dim)]
        var meters: [StyledText] = []
        if let breach = gate.breachEvidence { meters.append("breach " + Meter.render(breach, style: .red)) }
        if let safe = gate.safeEvidence { meters.append("safe " + Meter.render(safe, style: .green)) }
        if !meters.isEmpty { lines.append("    " + meters.joined(separator: "   ")) }
        if let prediction = gate.prediction { lines.append(StyledText("    a decision is expected: \(prediction)")) }
        if let detail = gate.detail { lines.append(StyledText("    \(detail)", .dim)) }
        return lines
    }

    private static func mark(_ outcome: String) -> (String, StyledText.Style) {
        switch outcome {
        case "passed": ("✔", .green)
        case "failed": ("✖", .red)
        case "inconclusive": ("…", .cyan)
        default: ("?", .yellow)
        }
    }
}

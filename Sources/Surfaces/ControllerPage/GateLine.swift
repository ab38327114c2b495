import ControllerAPI

/// What one gate says, with the evidence for and against the next weight.
enum GateLine {
    static func render(_ gate: GateStatus, number: Int, sentence: String) -> HTML {
        let (mark, kind): (HTML, HTML) =
            switch gate.outcome {
            case "passed": ("✔", "passed")
            case "failed": ("✖", "failed")
            case "inconclusive": ("…", "undecided")
            default: ("?", "blind")
            }
        let expected: HTML =
            gate.prediction.map { "<span class=\"expected\">decides in \($0)</span>" } ?? .none
        return """
            <li id="gate-\(number)" class="gate \(kind)">
            <p class="gate-head"><span class="mark" aria-hidden="true">\(mark)</span> <b>\(gate.name)</b> \
            <span class="outcome">\(Self.word(gate.outcome))</span> \(expected)</p>
            \(Self.meter(gate.safeEvidence, "safe", "Evidence that the next weight is safe"))
            \(Self.meter(gate.breachEvidence, "breach", "Evidence that the canary is worse"))
            <p>\(sentence)</p></li>

            """
    }

    private static func word(_ outcome: String) -> String {
        switch outcome {
        case "inconclusive": "not decided yet"
        case "no-data": "has no data"
        case "provider-down": "cannot be measured"
        default: outcome
        }
    }

    private static func meter(_ evidence: Double?, _ kind: String, _ label: String) -> HTML {
        guard let evidence else { return .none }
        let words =
            if !evidence.isFinite { "unknown" } else if evidence >= 1 { "decided" } else {
                "\(min(99, Int((max(0, evidence) * 100).rounded()))) %"
            }
        return """
            <p class="meter"><span>\(label)</span> \(Bar.render(evidence, kind, label: label)) <b>\(words)</b></p>
            """
    }
}

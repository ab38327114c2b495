import Analysis
import Manifests

extension MergePlan {
    /// For a terminal.
    var lines: [StyledText] {
        var lines = [
            StyledText("\(self.from.revision) (\(self.from.commit.prefix(8))) → ", .dim)
                + StyledText("\(self.to.revision) (\(self.to.commit.prefix(8)))  ", .bold)
                + StyledText(self.to.subject),
            "",
        ]
        if self.changes.isEmpty {
            lines.append("Nothing that is served changes.")
        } else {
            var table = TextTable("DEPLOYMENT", "WHAT", "CHANGES", "THEN")
            for change in self.changes {
                table.add(
                    StyledText(change.deployment),
                    StyledText(change.kind.words, change.kind.style),
                    StyledText(change.parts.joined(separator: ", ")),
                    StyledText(change.note + change.expectation)
                )
            }
            lines += table.lines(width: nil)
        }
        if !self.diagnostics.isEmpty { lines += [""] + self.diagnostics.map { StyledText($0.description) } }
        return lines
    }

    /// `1 rollout, 1 in place, 12 as they are`
    var summary: String {
        let counts = Kind.allCases.compactMap { kind -> String? in
            let count = self.changes.count { $0.kind == kind }
            return count > 0 ? "\(count) \(kind.words)" : nil
        }
        return (counts + ["\(self.unchanged) as they are"]).joined(separator: ", ")
    }

    /// For a comment on a pull request. What others wrote is in it only where it cannot be markup.
    var markdown: String {
        var lines = [
            "### What merging this does", "",
            "`\(self.from.commit.prefix(10))` → `\(self.to.commit.prefix(10))`: \(self.summary)", "",
        ]
        if !self.changes.isEmpty {
            lines += ["| deployment | what | changes | then |", "|---|---|---|---|"]
            for change in self.changes {
                let cells = [
                    Self.code(change.deployment), change.kind.words, Self.code(change.parts.joined(separator: ", ")),
                    Self.code(change.note + change.expectation),
                ]
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
        }
        if !self.diagnostics.isEmpty {
            lines += ["", "```"] + self.diagnostics.map { $0.description.replacing("```", with: "'''") } + ["```"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text that is shown as it is: neither markup nor the end of a cell, and no mention of anybody.
    private static func code(_ text: String) -> String {
        let plain = text.replacing("`", with: "'").replacing("|", with: "/")
        return plain.isEmpty ? "" : "`\(plain.filter { !$0.isNewline })`"
    }
}

extension MergePlan.Kind {
    fileprivate var words: String {
        switch self {
        case .new: "new"
        case .rollout: "rollout"
        case .inPlace: "in place"
        case .deleted: "deleted"
        case .refused: "refused"
        }
    }

    fileprivate var style: StyledText.Style {
        switch self {
        case .new, .rollout: .green
        case .inPlace: .cyan
        case .deleted: .yellow
        case .refused: .red
        }
    }
}

extension MergePlan.Change {
    /// What is expected of a rollout, where its traffic is known.
    fileprivate var expectation: String {
        guard let forecast = self.forecast else { return "" }
        var text = "; a good one is promoted after about \(NumberText.about(seconds: forecast.seconds))"
        let found = forecast.steps.lazy.compactMap { step in
            step.secondsUntilFivefoldErrors.map { (seconds: $0, requests: $0 * step.canaryRequestsPerSecond) }
        }.first
        if let found, found.seconds.isFinite {
            text +=
                ", one with five times the errors is found in \(NumberText.about(seconds: found.seconds)) and "
                + "\(NumberText.number(found.requests, decimals: 0)) requests"
        }
        return text
    }
}

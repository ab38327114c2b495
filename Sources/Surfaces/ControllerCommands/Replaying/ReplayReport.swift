import ControllerAPI
import Decisions
import Deployments
package import Foundation
import Rollouts

/// What a replay found.
package struct ReplayReport: Codable, Hashable, Sendable {
    /// Whether every decision came out as it was recorded.
    package var agrees: Bool
    package var decisions: Int
    /// The core that decided again, and those that are in the record.
    package var core: String
    package var recordedBy: [String]
    package var deployments: [Deployment]
    package var difference: Difference?
    /// What the rules of other tools would have done, where it was asked.
    package var presets: [PresetVerdict]?

    package struct Deployment: Codable, Hashable, Sendable {
        package var name: String
        package var decisions: Int
        package var first: Date
        package var last: Date
        /// How often decisions between two that follow each other were not kept.
        package var gaps: Int
        /// Where it was after the last decision.
        package var phase: String
        package var stable: String?
        package var canary: String?
    }

    /// The first place where the decision came out otherwise.
    package struct Difference: Codable, Hashable, Sendable {
        package var number: Int64
        package var deployment: String
        package var time: Date
        package var core: String
        package var path: String
        package var recorded: String
        package var again: String
        /// The record was changed after it was written.
        package var isAltered: Bool
    }

    /// One decision.
    package struct Step: Codable, Hashable, Sendable {
        package var number: Int64
        package var deployment: String
        package var time: Date
        package var course: String
        package var changes: [String]
        package var agrees: Bool
        package var followsGap: Bool
    }

    init() {
        self.agrees = true
        self.decisions = 0
        self.core = CoreVersion.current
        self.recordedBy = []
        self.deployments = []
    }

    mutating func add(_ step: Replay.Step) {
        let (record, decision) = (step.record, step.decision)
        let (name, time) = (record.deployment.description, Date(record.time))
        self.decisions += 1
        if !self.recordedBy.contains(record.core) { self.recordedBy.append(record.core) }
        let index = self.deployments.firstIndex { $0.name == name } ?? self.deployments.count
        if index == self.deployments.count {
            self.deployments.append(
                Deployment(name: name, decisions: 0, first: time, last: time, gaps: 0, phase: "")
            )
        }
        self.deployments[index].decisions += 1
        self.deployments[index].last = time
        if step.followsGap { self.deployments[index].gaps += 1 }
        if let decision {
            self.deployments[index].phase = decision.after.phaseText
            self.deployments[index].stable = decision.after.stable?.label
            self.deployments[index].canary = decision.after.canary?.label
        }
        guard let difference = step.difference else { return }
        self.agrees = false
        self.difference = Difference(
            number: record.number,
            deployment: name,
            time: time,
            core: record.core,
            path: difference.path,
            recorded: difference.recorded,
            again: difference.again,
            isAltered: difference.isAltered
        )
    }
}

extension ReplayReport.Step {
    init(_ step: Replay.Step) {
        self.init(
            number: step.record.number,
            deployment: step.record.deployment.description,
            time: Date(step.record.time),
            course: step.decision?.course ?? "not decided again",
            changes: step.decision?.changes ?? [],
            agrees: step.difference == nil,
            followsGap: step.followsGap
        )
    }

    var lines: [StyledText] {
        let number = StyledText("#\(self.number)", .dim) + StyledText("  \(APICoding.text(of: self.time))  ")
        var lines = [number + StyledText("\(self.deployment)  ", .bold) + StyledText(self.course)]
        if self.followsGap { lines.append(StyledText("    decisions before this one were not kept", .yellow)) }
        return lines + self.changes.map { StyledText("    \($0)") }
    }
}

extension ReplayReport {
    var lines: [StyledText] {
        var lines: [StyledText] = []
        for deployment in self.deployments {
            let gaps = deployment.gaps == 0 ? "" : ", \(deployment.gaps) gaps"
            lines.append(
                StyledText(deployment.name, .bold)
                    + StyledText(
                        "  \(deployment.decisions) decisions from \(APICoding.text(of: deployment.first)) to "
                            + "\(APICoding.text(of: deployment.last))\(gaps)"
                    )
            )
            let revisions = [
                deployment.stable.map { "stable \($0)" }, deployment.canary.map { "canary \($0)" },
            ].compactMap(\.self)
            lines.append(StyledText("    then \(([deployment.phase] + revisions).joined(separator: "; "))"))
            lines += (self.presets ?? []).filter { $0.deployment == deployment.name }.map(\.line)
        }
        guard let difference = self.difference else {
            lines.append(StyledText("✔ ", .green) + StyledText("all \(self.decisions) decisions come out as recorded"))
            return lines
        }
        return lines + difference.lines(core: self.core)
    }
}

extension ReplayReport.Difference {
    fileprivate func lines(core: String) -> [StyledText] {
        let name = "decision \(self.number) of \(self.deployment) at \(APICoding.text(of: self.time))"
        if self.isAltered {
            return [
                StyledText("✖ ", .red) + StyledText("\(name) was changed after it was written: its digest is wrong"),
                StyledText("    recorded: \(self.recorded)"), StyledText("    again:    \(self.again)"),
                "    It was not decided again. Export it anew, and ask who had the file.",
            ]
        }
        var lines = [
            StyledText("✖ ", .red) + StyledText("\(name) comes out otherwise, first at \(self.path)"),
            StyledText("    recorded: \(Self.short(self.recorded))"),
            StyledText("    again:    \(Self.short(self.again))"),
        ]
        if self.core != core {
            lines.append(StyledText("    Core \(self.core) recorded it, core \(core) decided again: they may differ."))
        } else {
            lines.append("    The same core decided otherwise on the same input: please report this, with the file.")
        }
        return lines
    }

    /// Enough to see what it is; JSON output has all.
    private static func short(_ text: String) -> String {
        text.count <= 400 ? text : text.prefix(400) + "…"
    }
}

extension Date {
    init(_ time: Timestamp) {
        self.init(timeIntervalSince1970: Double(time.milliseconds) / 1000)
    }
}

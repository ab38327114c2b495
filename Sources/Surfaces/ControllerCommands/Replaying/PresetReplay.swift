import Analysis
import ControllerAPI
import ControllerWords
import Decisions
import Deployments
package import Foundation
import Rollouts

/// What another tool's rule would have made of the rollouts of an export, from the errors that the router counted.
struct PresetReplay {
    let preset: JudgePreset
    private var running: [DeploymentID: Running] = [:]
    private(set) var verdicts: [PresetVerdict] = []

    /// A rollout whose canary gets traffic.
    private struct Running {
        var canary: Revision
        /// Of the verdicts.
        var index: Int
        var judge: any HoldJudge
        /// The step that the router serves.
        var step: Int?
        /// What the next increment is counted from.
        var base: Sample?
    }

    init(_ preset: JudgePreset) {
        self.preset = preset
    }

    mutating func add(_ decision: Decision) {
        self.judge(decision)
        guard let running = self.running[decision.deployment] else { return }
        for transition in decision.outcome.transitions {
            switch transition.kind {
            case .promoted, .rolledBack, .superseded:
                self.verdicts[running.index].happened = transition.kind.rawValue
                self.verdicts[running.index].ended = Date(transition.time)
                self.running[decision.deployment] = nil
            default:
                break
            }
        }
    }

    /// Feeds the judge with what was counted while the router served a step. As in the rollout itself, the sample with
    /// which a step was first seen served is the base of its first increment.
    private mutating func judge(_ decision: Decision) {
        let id = decision.deployment
        if let step = Self.servedStep(of: decision.before), var running = self.running[id], running.step == step,
            let stable = decision.before.stable
        {
            for sample in decision.situation.samples { self.feed(sample, to: &running, stable: stable.revision) }
            self.running[id] = running
        }
        guard let step = Self.servedStep(of: decision.after), let canary = decision.after.canary else { return }
        if self.running[id]?.canary != canary.revision { self.begin(canary, of: id, at: decision.time) }
        guard self.running[id]?.step != step else { return }
        self.running[id]?.step = step
        self.running[id]?.base = decision.situation.samples.last
    }

    private static func servedStep(of rollout: Rollout) -> Int? {
        if case .stepping(let step, .some) = rollout.phase { step } else { nil }
    }

    private mutating func feed(_ sample: Sample, to running: inout Running, stable: Revision) {
        defer { running.base = sample }
        guard let base = running.base, sample.time > base.time else { return }
        let poll = HoldPoll(
            seconds: (sample.time - base.time) / .seconds(1),
            canary: Self.increment(running.canary, base, sample),
            stable: Self.increment(stable, base, sample)
        )
        if running.judge.add(poll) == .rollback, self.verdicts[running.index].rollback == nil {
            self.verdicts[running.index].rollback = Date(sample.time)
        }
    }

    private mutating func begin(_ canary: DeploymentSpec, of id: DeploymentID, at time: Timestamp) {
        self.verdicts.append(
            PresetVerdict(
                preset: self.preset.rawValue,
                deployment: id.description,
                canary: canary.label,
                began: Date(time)
            )
        )
        let index = self.verdicts.count - 1
        self.running[id] = Running(canary: canary.revision, index: index, judge: self.preset.judge())
    }

    private static func increment(_ revision: Revision, _ base: Sample, _ sample: Sample) -> EventCounts? {
        guard let before = base.tracks[revision], let now = sample.tracks[revision] else { return nil }
        return EventCounts(bad: now.serverErrors, total: now.requests)
            .since(EventCounts(bad: before.serverErrors, total: before.requests))
    }
}

/// What another tool's rule would have done with one rollout.
package struct PresetVerdict: Codable, Hashable, Sendable {
    package var preset: String
    package var deployment: String
    package var canary: String
    /// When the router served its first step.
    package var began: Date
    /// When the rule would have rolled it back; nothing when it would not have.
    package var rollback: Date?
    /// What became of it: `promoted`, `rolled-back`, `superseded`; nothing when the export ends before.
    package var happened: String?
    package var ended: Date?

    var line: StyledText {
        let after = { (date: Date) in TimeText.span(date.timeIntervalSince(self.began)) }
        let theirs =
            self.rollback.map { "\(self.preset) would have rolled it back after \(after($0))" }
            ?? "\(self.preset) would not have rolled it back"
        let ours = self.happened.map { "it was \($0) after \(self.ended.map(after) ?? "?")" } ?? "it goes on"
        return StyledText("    \(self.canary): ") + StyledText(theirs, self.rollback == nil ? .plain : .yellow)
            + StyledText("; \(ours)")
    }
}

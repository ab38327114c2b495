package import Analysis
package import Deployments

/// A sign-off that was asked for, and what was said so far.
package struct PendingSignOff: Hashable, Codable, Sendable {
    package let place: SignOff.Place
    /// What waits for it.
    package let revision: Revision
    package let since: Timestamp
    /// As it was asked for: when the manifest wants another one, that is asked for anew.
    package let wanted: SignOff
    /// Who said yes, where a person has to.
    package var approvedBy: String?
    /// What the gates have heard; nothing without gates, or when somebody overruled them.
    package private(set) var run: AnalysisRun?

    init(_ wanted: SignOff, at place: SignOff.Place, of revision: Revision, at now: Timestamp) {
        (self.place, self.revision, self.wanted, self.since) = (place, revision, wanted, now)
        guard !wanted.gates.isEmpty else { return }
        // Its gates judge one revision alone, so that it stands for both.
        var run = AnalysisRun(gates: wanted.gates, stable: revision, canary: revision, plannedSteps: 1)
        run.beginStep(gates: wanted.gates, nextWeight: .all, at: now)
        self.run = run
    }

    package var asker: SignOff.Asker { SignOff.Asker(self.place, self.revision) }

    package var lacksApproval: Bool { self.wanted.needsApproval && self.approvedBy == nil }

    mutating func add(_ measurement: Measurement) { self.run?.add(measurement) }

    mutating func overrule() { self.run = nil }

    /// The gates that have not passed, and how they stand.
    func open(at now: Timestamp) -> [GateResult] {
        self.run?.outcomes(at: now).filter { $0.outcome != .passed } ?? []
    }

    package func isGiven(at now: Timestamp) -> Bool { !self.lacksApproval && self.open(at: now).isEmpty }

    func evidence(of gate: Gate, at now: Timestamp) -> String {
        self.run?.assessment(of: gate, at: now)?.summary ?? ""
    }

    /// `an approval, gate change-window`
    package func missing(at now: Timestamp) -> String {
        SignOff.words(needsApproval: self.lacksApproval, gates: self.open(at: now).map(\.gate.name))
    }
}

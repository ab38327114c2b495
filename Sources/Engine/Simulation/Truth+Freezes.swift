import Decisions
import Deployments
import Reconciliation
import Rollouts
import Synchronization

extension Truth {
    /// What an operator was told to be frozen is, at every decision, whatever became of the controller since.
    mutating func checkFreezes(_ decision: Decision) {
        guard !self.promisedFreezes.isEmpty else { return }
        let windows = Set((decision.situation.freezes ?? decision.before.freezes).map(\.name))
        let labels: [String: String] =
            if case .spec(let spec) = decision.situation.desired { spec.labels } else {
                (decision.before.desired ?? decision.before.stable)?.labels ?? [:]
            }
        for freeze in self.promisedFreezes
        where freeze.selects(decision.deployment, labels: labels) && decision.time < freeze.until
            && !windows.contains(freeze.window.name)
        {
            let what = "\(freeze.window.name) of \(decision.deployment)"
            self.checker.report("rule 3: an operator's freeze is forgotten", what)
        }
    }
}

extension SimulatedPorts: FreezeStore {
    func freezes() async throws(JournalError) -> FreezeBook {
        self.truth.withLock { $0.journal.freezes }
    }

    func keep(_ book: FreezeBook) async throws(JournalError) {
        try self.truth.withLock { truth throws(JournalError) in
            if truth.isDead || truth.dies(.before, .append) { throw Self.failure("killed") }
            if truth.isGoingOn(.journalOutage) || truth.strike(.journalFails) != nil {
                throw Self.failure("the disk is full")
            }
            truth.journal.freezes = book
            if truth.dies(.after, .append) { throw Self.failure("killed") }
        }
    }
}

extension World {
    /// An operator freezes, or ends a freeze, and believes the answer.
    static func obey(_ change: FreezeChange, by fleet: inout Fleet, _ ports: SimulatedPorts) async {
        if case .end(let number, _) = change {
            // Before: without an answer, nobody knows whether it stands.
            ports.truth.withLock { truth in truth.promisedFreezes.removeAll { $0.number == number } }
        }
        let receipt = await fleet.change(change)
        guard receipt.answer.isAccepted, let freeze = receipt.freeze, case .begin = change else { return }
        ports.truth.withLock { $0.promisedFreezes.append(freeze) }
    }
}

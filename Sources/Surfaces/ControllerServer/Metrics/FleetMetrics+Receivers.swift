import Deployments
import Reconciliation

extension MetricText {
    /// How it goes with each receiver of notifications.
    mutating func write(_ receivers: [ReceiverState]) {
        let waiting = "controller_notifications_waiting"
        self.family(waiting, .gauge, "Events that a receiver is not told yet.")
        for receiver in receivers { self.sample(waiting, ["receiver": receiver.name], receiver.waiting) }
        let problem = "controller_notifications_problem"
        self.family(problem, .gauge, "Whether the last try to tell a receiver failed.")
        for receiver in receivers { self.sample(problem, ["receiver": receiver.name], receiver.problem != nil) }
        let total = "controller_notifications_total"
        self.family(total, .counter, "Events since the start, by what became of them.")
        for receiver in receivers {
            for (outcome, count) in [
                ("delivered", receiver.delivered), ("refused", receiver.refused), ("left-out", receiver.leftOut),
            ] {
                self.sample(total, ["receiver": receiver.name, "outcome": outcome], count)
            }
        }
    }
}

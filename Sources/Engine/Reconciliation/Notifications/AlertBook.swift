import Deployments

/// What one receiver of alerts was shown, and when it is to be shown what again.
///
/// In memory only: after a restart what lasts is shown as new, which a receiver knows by its labels, and what ended
/// meanwhile ends by the time that it was shown with.
package struct AlertBook: Sendable {
    private struct Entry {
        var alert: Alert
        /// When it was last taken; nothing before that.
        var shown: Timestamp?
        /// It ended then; forgotten once that is shown.
        var ended: Timestamp?
    }

    private var entries: [Alert.Key: Entry] = [:]
    /// How long a condition must last that comes and goes by itself.
    let patience: Duration

    /// Between two times that one is shown.
    static let interval: Duration = .minutes(1)
    /// Three of them may fail before a receiver takes it for ended.
    static let life: Duration = .minutes(4)
    package static let patience: Duration = .seconds(30)

    init(patience: Duration = Self.patience) { self.patience = patience }

    /// How many are shown and last.
    var count: Int { self.entries.values.count { $0.shown != nil && $0.ended == nil } }

    /// Takes in what is the case now.
    mutating func update(_ alerts: [Alert], at now: Timestamp) {
        var lasting: Set<Alert.Key> = []
        for var alert in alerts {
            lasting.insert(alert.key)
            if let known = self.entries[alert.key], known.ended == nil {
                // The moment in which it was first seen, for those of which nothing else is known.
                alert.since = min(alert.since, known.alert.since)
                self.entries[alert.key]?.alert = alert
            } else {
                self.entries[alert.key] = Entry(alert: alert)
            }
        }
        for (key, entry) in self.entries where !lasting.contains(key) && entry.ended == nil {
            if entry.shown == nil { self.entries[key] = nil } else { self.entries[key]?.ended = now }
        }
    }

    /// What is to be shown now.
    func due(at now: Timestamp) -> [ShownAlert] {
        self.entries.values.compactMap { entry in
            if let ended = entry.ended { return ShownAlert(alert: entry.alert, ends: ended) }
            if let shown = entry.shown {
                guard now - shown >= Self.interval else { return nil }
            } else if entry.alert.isPatient, now - entry.alert.since < self.patience {
                return nil
            }
            return ShownAlert(alert: entry.alert, ends: now + Self.life)
        }
    }

    /// They were taken.
    mutating func note(_ shown: [ShownAlert], at now: Timestamp) {
        for alert in shown.map(\.alert) {
            if self.entries[alert.key]?.ended != nil {
                self.entries[alert.key] = nil
            } else {
                self.entries[alert.key]?.shown = now
            }
        }
    }
}

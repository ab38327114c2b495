package import ControllerAPI
import Foundation
import Synchronization

/// When deliveries came, and which of those that were refused are worth a line in the log.
package final class WebhookLedger: Sendable {
    private struct Entry {
        var status = WebhookStatus()
        var told: ContinuousClock.Instant?
        var untold = 0

        mutating func tell(at now: ContinuousClock.Instant, quiet: Duration) -> Int? {
            if let told = self.told, told.duration(to: now) < quiet {
                self.untold += 1
                return nil
            }
            defer { (self.told, self.untold) = (now, 0) }
            return self.untold
        }
    }

    private struct Entries {
        var repositories: [String: Entry]
        /// Of no repository. Their names are strangers' words, and are not kept.
        var others = Entry()
        var changes: UInt64 = 0
    }

    private let entries: Mutex<Entries>
    private let quiet: Duration

    /// - Parameters:
    ///   - repositories: Those that take webhooks.
    ///   - quiet: Between two lines in the log about what a repository was refused: whoever has no secret must not
    ///     fill the disk.
    package init(repositories: [String], quiet: Duration = .seconds(60)) {
        self.quiet = quiet
        let entries = Dictionary(repositories.map { ($0, Entry()) }, uniquingKeysWith: { first, _ in first })
        self.entries = Mutex(Entries(repositories: entries))
    }

    /// - Returns: Nothing for a repository that takes none.
    package func status(of repository: String) -> WebhookStatus? {
        self.entries.withLock { $0.repositories[repository]?.status }
    }

    /// Rises whenever a status changes.
    var changes: UInt64 { self.entries.withLock { $0.changes } }

    func noteDelivery(for repository: String) {
        let now = Date()
        self.entries.withLock { entries in
            entries.repositories[repository]?.status.lastDelivered = now
            entries.changes += 1
        }
    }

    /// - Returns: How many were not told of since the last line in the log, when it is time for another.
    func note(_ refusal: WebhookRefusal, of repository: String?) -> Int? {
        let (date, now) = (Date(), ContinuousClock.now)
        return self.entries.withLock { entries in
            guard let repository, var entry = entries.repositories[repository] else {
                return entries.others.tell(at: now, quiet: self.quiet)
            }
            entry.status.lastRefused = date
            entry.status.refusal = refusal.reason
            entries.changes += 1
            defer { entries.repositories[repository] = entry }
            return entry.tell(at: now, quiet: self.quiet)
        }
    }
}

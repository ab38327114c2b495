import Deployments

/// How long a repository is left alone between two polls.
package struct PollPace: Sendable {
    package enum Outcome: Sendable { case news, nothing, failure }

    private let interval: Duration
    /// In a row.
    private var failures = 0
    /// Somebody told of a push, and since then the server could not be asked.
    private var isOwed = false
    /// When as many wakes as ever are free again.
    private var rested: ContinuousClock.Instant?

    /// So many wakes are polled for at once, and then one in each ``wakeInterval``.
    package static let freeWakes = 3
    /// Whoever wakes, however often, costs no more than an operator may configure.
    package static let wakeInterval = Duration.seconds(2)
    /// Servers of several machines may tell of a push before all of them know it.
    package static let secondLook = Duration.seconds(5)

    package init(interval: Duration) {
        self.interval = interval
    }

    /// - Returns: The time from a poll to the next one, if nobody wakes it.
    package mutating func wait(after outcome: Outcome, isWoken: Bool) -> Duration {
        switch outcome {
        case .news:
            (self.failures, self.isOwed) = (0, false)
            return self.interval
        case .nothing:
            (self.failures, self.isOwed) = (0, false)
            return isWoken ? min(self.interval, Self.secondLook) : self.interval
        case .failure:
            // A storm of wakes must not make a server that is away be asked less often.
            self.failures = isWoken ? max(self.failures, 1) : self.failures + 1
            self.isOwed = self.isOwed || isWoken
            let factor = 1 << min(self.failures, 6)
            // Doubling, at most 64 times the interval and 5 minutes: a dead remote is not hammered.
            let wait = min(self.interval * factor, max(self.interval, .minutes(5)))
            return self.isOwed ? min(wait, Self.secondLook * factor) : wait
        }
    }

    /// - Returns: How long a wake has to wait for its poll, so that wakes do not come too fast.
    package mutating func delay(ofWakeAt now: ContinuousClock.Instant) -> Duration {
        let rested = max(self.rested ?? now, now)
        self.rested = rested + Self.wakeInterval
        return max(.zero, now.duration(to: rested) - Self.wakeInterval * (Self.freeWakes - 1))
    }
}

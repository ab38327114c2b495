import Deployments

/// How long to wait before a replica that ended by itself is started again: twice as long each time.
package struct RestartBackoff: Hashable, Sendable {
    package var first: Duration
    package var longest: Duration
    /// A replica that was ready for so long is as good as new.
    package var forgivenAfter: Duration

    package init(
        first: Duration = .seconds(1),
        longest: Duration = .seconds(60),
        forgivenAfter: Duration = .minutes(10)
    ) {
        self.first = first
        self.longest = longest
        self.forgivenAfter = forgivenAfter
    }

    /// The time to wait after the end number `crashes` in a row. `spread` is random, from 0 to 1: replicas that end
    /// together must not all start together.
    package func delay(crashes: Int, spread: Double) -> Duration {
        let doublings = min(max(crashes, 1) - 1, 16)
        let exponential = min(self.first * (1 << doublings), self.longest)
        let percent = 80 + Int((40 * spread).rounded())
        return min(max(exponential * percent / 100, self.first), self.longest)
    }
}

import RealModule

/// How many requests a decision takes, before they are sent.
///
/// An expectation at constant rates, not a guarantee. Source: Wald (1945): evidence grows per request by the
/// expectation of ln e, so a process that starts at a capital of `capital`/K per bet needs ln(K / (capital · level))
/// divided by the growth of its best bet.
package struct RequestPlan: Hashable, Sendable {
    /// The rates assumed, as shares of requests.
    package var canaryRate: Double
    package var stableRate: Double
    /// The canary's share of the requests, above 0 and below 1.
    package var share: Double

    package init(canaryRate: Double, stableRate: Double, share: Double) {
        self.canaryRate = canaryRate
        self.stableRate = stableRate
        self.share = share
    }

    /// The expected ln e per request on the canary, in nats.
    package func growth(_ test: AffineTest, theta: Double) -> Double {
        let mean = PairedIncrement(
            canaryTotal: self.share,
            canaryBad: self.share * self.canaryRate,
            stableTotal: 1 - self.share,
            stableBad: (1 - self.share) * self.stableRate
        )
        return test.logE(mean, theta: theta) / self.share
    }

    /// Expected requests on the canary until a process decides.
    ///
    /// - Parameters:
    ///   - test: The process's null.
    ///   - grid: Its bets.
    ///   - level: α of a breach process, β of a safe one.
    ///   - capital: The share of the process's capital that is invested at the start.
    /// - Returns: Nothing when at these rates no bet grows: the process is not expected to decide at all.
    package func requests(_ test: AffineTest, grid: [Double], level: Double, capital: Double) -> Double? {
        guard let best = grid.map({ self.growth(test, theta: $0) }).max(), best > 0 else { return nil }
        return Double.log(Double(grid.count) / (capital * level)) / best
    }

    /// Expected requests on the canary until a safe process that has some evidence already reaches `limit`.
    ///
    /// - Returns: Nothing when at these rates no bet grows.
    package func remaining(_ process: SafeProcess, grid: [Double], limit: Double) -> Double? {
        let stake = Double.log(Double(grid.count))
        return zip(process.logs, grid).compactMap { log, theta -> Double? in
            let growth = self.growth(process.test, theta: theta)
            return growth > 0 ? max(0, limit + stake - log) / growth : nil
        }.min()
    }
}

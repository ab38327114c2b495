import RealModule

/// Evidence for something that may begin at any time: a mixture of bets over a grid of sizes and of starting times.
///
/// It starts with a capital of 1 in cash. Each poll may invest part of the cash, in equal shares over the grid; what
/// is invested is multiplied by e of the poll. How much is invested when is settled before the poll's data are seen,
/// so the whole stays an e-process: it ever reaches 1/α with probability at most α under the null of the increments.
/// The cash is what lets a fault that appears at the third step be seen as fast as one at the first: bets placed
/// early have by then lost their stake on a healthy canary.
package struct StartMixture: Hashable, Codable, Sendable {
    /// `ln` of the capital at each point of the grid; empty until something was invested.
    private var logs: [Double] = []
    private var spent = 0.0
    /// Cash set aside for the current step.
    private var left = 0.0
    private var isFirstPoll = false

    package init() {}

    /// Sets cash aside for the coming polls; what the last step left is not invested any more.
    ///
    /// - Parameter mass: A share of the initial capital, at most what is still in cash.
    package mutating func begin(mass: Double) {
        self.left = max(0, min(mass, 1 - self.spent))
        self.isFirstPoll = true
    }

    /// The initial capital that was never invested.
    package var cash: Double { 1 - self.spent }

    /// One poll.
    ///
    /// - Parameters:
    ///   - increments: ln e of the poll at each point of the grid, always the same grid.
    ///   - first: The share of the step's cash that the first poll after ``begin(mass:)`` invests.
    ///   - share: The share of the remaining cash that each later poll invests.
    ///   - cap: A limit on ln of the capital at one point. Throwing capital away keeps the guarantee, and lets
    ///     evidence of something that ended fade.
    package mutating func add(_ increments: [Double], first: Double, share: Double, cap: Double = .infinity) {
        let stake = self.left * (self.isFirstPoll ? first : share)
        self.isFirstPoll = false
        if stake > 0 {
            self.left -= stake
            self.spent += stake
            let log = Double.log(stake)
            self.logs = self.logs.isEmpty ? increments.map { _ in log } : self.logs.map { logAdd($0, log) }
        }
        guard !self.logs.isEmpty else { return }
        self.logs = zip(self.logs, increments).map { min($0 + $1, cap) }
    }

    /// ln E, in nats: above 0 is evidence against the null.
    package var logE: Double {
        let cash = max(0, self.cash)
        return logAdd(self.logs.isEmpty ? -.infinity : logMean(self.logs), cash > 0 ? Double.log(cash) : -.infinity)
    }
}

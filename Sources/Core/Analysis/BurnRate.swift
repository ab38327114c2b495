import Deployments

/// How fast an error budget is used up, as in chapter 5 of Google's SRE workbook.
package struct BurnRule: Hashable, Codable, Sendable {
    package var longWindow: Duration
    package var shortWindow: Duration
    /// How many times faster than the objective allows.
    package var burn: Double

    package init(longWindow: Duration, shortWindow: Duration, burn: Double) {
        self.longWindow = longWindow
        self.shortWindow = shortWindow
        self.burn = burn
    }

    /// The two that page: 2 percent of a 30 day budget in an hour, 5 percent in six.
    package static let paging = [
        BurnRule(longWindow: .hours(1), shortWindow: .minutes(5), burn: 14.4),
        BurnRule(longWindow: .hours(6), shortWindow: .minutes(30), burn: 6),
    ]

    /// The one that makes a ticket: 10 percent of the budget in three days.
    package static let ticket = BurnRule(longWindow: .hours(72), shortWindow: .hours(6), burn: 1)

    /// The rule for an outage right after a promotion: waiting for an hour's average would be no protection.
    package static let outage = BurnRule(longWindow: .minutes(5), shortWindow: .seconds(30), burn: 10)
}

extension EventCounts {
    /// The bad share divided by the share that an objective allows: 1 uses the budget up exactly in its window.
    ///
    /// - Returns: Nothing without requests.
    package func burnRate(objectivePercent: Double) -> Double? {
        self.rate.map { $0 / (1 - objectivePercent / 100) }
    }
}

package import Deployments
import RealModule

/// How long one step of a rollout takes, and what it would notice, before a request is sent.
///
/// Expectations at constant rates, from ``RequestPlan``; no guarantee.
package struct StepForecast: Hashable, Sendable {
    /// The rates of one gate's bad events on a stable revision, as shares of requests.
    package var baselines: [Double]
    /// Gates that share the error budget.
    package var gates: Int
    /// Requests per second on the canary, and on stable.
    package var canaryRate: Double
    package var stableRate: Double
    /// What passing leads to, above 0 and at most 1.
    package var nextWeight: Double
    /// The step's number among those that compare, from 0, and how many of those there are.
    package var index: Int
    package var count: Int
    package var parameters: AnalysisParameters

    /// - Parameters:
    ///   - baselines: One per gate whose rate is known.
    ///   - gates: That share the error budget.
    ///   - canaryRate: Requests per second.
    ///   - stableRate: Requests per second.
    ///   - nextWeight: Above 0 and at most 1.
    ///   - index: Among the comparing steps, from 0.
    ///   - count: Of the comparing steps.
    ///   - parameters: The constants of the tests.
    package init(
        baselines: [Double],
        gates: Int,
        canaryRate: Double,
        stableRate: Double,
        nextWeight: Double,
        index: Int,
        count: Int,
        parameters: AnalysisParameters = .default
    ) {
        self.baselines = baselines
        self.gates = max(1, gates)
        self.canaryRate = canaryRate
        self.stableRate = stableRate
        self.nextWeight = nextWeight
        self.index = index
        self.count = count
        self.parameters = parameters
    }

    /// Seconds until every gate of a canary that is as good as stable has passed.
    ///
    /// - Returns: Nothing when there is no traffic, or some gate is not expected to pass at all.
    package var secondsUntilSafe: Double? {
        guard self.canaryRate > 0, self.stableRate > 0 else { return nil }
        let test = AffineTest.safe(
            toward: self.nextWeight,
            ratio: self.parameters.safeRatio,
            difference: self.parameters.safeDifference
        )
        let times = self.baselines.map { baseline in
            self.plan(canary: baseline, stable: baseline).requests(
                test,
                grid: self.parameters.safeGrid,
                level: self.parameters.beta,
                capital: 1
            )
        }
        guard times.allSatisfy({ $0 != nil }) else { return nil }
        return times.compactMap(\.self).max().map { $0 / self.canaryRate }
    }

    /// Seconds until a gate finds a canary in this step that has so many bad events.
    ///
    /// - Parameters:
    ///   - rate: A share of requests, from 0 to 1.
    ///   - baseline: Stable's.
    /// - Returns: Nothing when there is no traffic or that is not expected to be found.
    package func secondsUntilFound(rate: Double, over baseline: Double) -> Double? {
        guard self.canaryRate > 0, self.stableRate > 0 else { return nil }
        let mass = self.mass
        return self.plan(canary: min(1, rate), stable: baseline).requests(
            self.parameters.breachTest(burst: 1),
            grid: self.parameters.breachGrid,
            level: self.parameters.alpha / Double(self.gates),
            capital: self.parameters.massAtStart * mass
        )
        .map { $0 / self.canaryRate }
    }

    /// Seconds until a canary that is as fast as stable passes a gate on slower answers by its ranks.
    ///
    /// - Parameters:
    ///   - rule: The gate's.
    ///   - weight: What passing leads to, in percent.
    ///   - canary: Requests per second.
    ///   - stable: Requests per second.
    ///   - parameters: The constants of the tests.
    /// - Returns: Nothing without traffic.
    package static func secondsUntilRanked(
        _ rule: SlowdownRule,
        toward weight: Int,
        canary: Double,
        stable: Double,
        parameters: AnalysisParameters = .default
    ) -> Double? {
        MeanDifference(expectedOfCanary: canary, stable: stable).repetitionsFromNothing(
            untilBelow: SlowdownEvidence.safeMargin(of: rule, toward: TrafficWeight(percent: max(1, weight))),
            limit: parameters.safeLimit
        )
    }

    private func plan(canary: Double, stable: Double) -> RequestPlan {
        RequestPlan(
            canaryRate: canary,
            stableRate: stable,
            share: self.canaryRate / (self.canaryRate + self.stableRate)
        )
    }

    /// The step's share of the breach process's capital; see ``BreachProcess``.
    private var mass: Double {
        self.parameters.mass(ofStep: self.index, of: max(1, self.count), cash: 1)
    }
}

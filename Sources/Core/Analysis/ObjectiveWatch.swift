package import Deployments
import RealModule

/// Watches the objectives of a promoted revision through its bake.
///
/// There is no stable any more to compare with, so the question is absolute: does the revision burn its error budget
/// too fast? An objective is broken when, for ``BurnRule/outage`` or one of the ``BurnRule/paging`` rules,
///
/// 1. the burn rate over the long window is above the rule's,
/// 2. so is that over the short one: it still burns now,
/// 3. and the sequential test of "never burned faster than the rule's rate" is refuted, which replaces the customary
///    minimum number of requests: a handful of errors at low traffic breaks nothing.
///
/// Guarantee: a revision that never burns faster than a rule's rate is reported with probability at most α, over all
/// objectives, rules and looks of the watch together.
///
/// A bake is often shorter than the windows. Until a rule's long window has passed since the promotion, it covers what
/// has passed, and its short window shrinks in proportion. The burn rates stay the same.
package struct ObjectiveWatch: Hashable, Codable, Sendable {
    package let revision: Revision
    package let since: Timestamp
    private let parameters: AnalysisParameters
    private var watched: [Watched]
    private var base: Base?

    private struct Watched: Hashable, Codable, Sendable {
        var objective: Objective
        var rules: [WatchedRule]
    }

    private struct WatchedRule: Hashable, Codable, Sendable {
        var window: BurnWindow
        var monitor: AbsoluteMonitor
    }

    private struct Base: Hashable, Codable, Sendable {
        var time: Timestamp
        var counters: TrackCounters
    }

    /// The time after which the monitors set new capital aside, so that what begins late is seen as fast.
    private static let epoch: Duration = .minutes(10)
    private var epochs: Int64 = 0

    package init(
        objectives: [Objective],
        revision: Revision,
        since: Timestamp,
        burst: Double = 1,
        parameters: AnalysisParameters = .default
    ) {
        self.revision = revision
        self.since = since
        self.parameters = parameters
        self.watched = objectives.map { objective in
            Watched(
                objective: objective,
                rules: ([.outage] + BurnRule.paging).map { rule in
                    WatchedRule(
                        window: BurnWindow(rule: rule, since: since),
                        monitor: AbsoluteMonitor(test: Self.test(of: objective, rule, burst: burst))
                    )
                }
            )
        }
    }

    private static func test(of objective: Objective, _ rule: BurnRule, burst: Double) -> AbsoluteTest {
        var test = AbsoluteTest(objectivePercent: objective.percent, burn: rule.burn, burst: max(1, burst))
        // Ten times the budget of a strict objective is little: over five minutes, seconds of an incident that has
        // nothing to do with the revision would exceed it. Five percent are 15 seconds of total failure.
        if rule == .outage { test.limit = max(test.limit, 0.05) }
        return test
    }

    /// Feeds one snapshot of counters. Those before the promotion, without the revision or not newer than the last are
    /// ignored; after a reset of a counter the snapshot is only a new base.
    package mutating func add(_ sample: Sample) {
        guard sample.time >= self.since, sample.time > self.base?.time ?? Timestamp(milliseconds: .min) else { return }
        guard let counters = sample.tracks[self.revision] else {
            self.base = nil
            return
        }
        let base = self.base
        self.base = Base(time: sample.time, counters: counters)
        guard let base, counters.canFollow(base.counters) else { return }
        self.beginEpoch(at: sample.time)
        for index in self.watched.indices {
            let indicator = self.watched[index].objective.indicator
            guard let now = counters.events(of: indicator),
                let increment = now.since(base.counters.events(of: indicator) ?? EventCounts())
            else { continue }
            for rule in self.watched[index].rules.indices {
                self.watched[index].rules[rule].window.add(increment, at: sample.time)
                self.watched[index].rules[rule].monitor.add(
                    increment,
                    seconds: (sample.time - base.time).inSeconds,
                    limit: self.limit,
                    parameters: self.parameters
                )
            }
        }
    }

    /// Epoch j owns 1/(j(j+1)) of the capital, which sums to 1 over any number of epochs.
    private mutating func beginEpoch(at time: Timestamp) {
        let current = (time - self.since).wholeMilliseconds / Self.epoch.wholeMilliseconds + 1
        guard current > self.epochs else { return }
        self.epochs = current
        let mass = 1 / (Double(current) * Double(current + 1))
        for index in self.watched.indices {
            for rule in self.watched[index].rules.indices {
                self.watched[index].rules[rule].monitor.begin(mass: mass)
            }
        }
    }

    /// ln E at which one rule of one objective decides: α, shared by all of them.
    private var limit: Double {
        let tests = self.watched.reduce(0) { $0 + $1.rules.count }
        return self.parameters.breachLimit + Double.log(Double(max(1, tests)))
    }

    /// The objectives that are broken now.
    package func breaches(at now: Timestamp) -> [ObjectiveBreach] {
        self.watched.compactMap { watched in
            watched.rules.lazy.compactMap { self.breach(of: watched.objective, $0, at: now) }.first
        }
    }

    private func breach(of objective: Objective, _ rule: WatchedRule, at now: Timestamp) -> ObjectiveBreach? {
        let (long, short) = (rule.window.long(at: now), rule.window.short(at: now))
        let monitor = rule.monitor
        guard monitor.logE >= self.limit, monitor.badPolls >= self.parameters.minimumBadPolls,
            let longRate = long.rate, longRate > monitor.test.limit,
            let shortRate = short.rate, shortRate > monitor.test.limit,
            let burn = long.burnRate(objectivePercent: objective.percent)
        else { return nil }
        let period = min(now - self.since, rule.window.rule.longWindow)
        let limit = monitor.test.limit / (1 - objective.percent / 100)
        return ObjectiveBreach(
            objective: objective.name,
            text: "\(NumberText.percent(longRate)) of \(long.total) requests bad in \(period.short), "
                + "\(NumberText.number(burn)) times what \(NumberText.number(objective.percent, decimals: 3)) % "
                + "allows (limit \(NumberText.number(limit, decimals: 1)) times)"
        )
    }
}

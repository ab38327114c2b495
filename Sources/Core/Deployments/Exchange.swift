/// How many replicas two revisions may have while one takes over from the other and there is no room for both in full.
///
/// Capacity follows weight: a revision that gets a share of the traffic needs that share of its replicas. As weights
/// are whole percents, 2 of 3 replicas cover 67 percent: less than a percent of the traffic is overlooked, or else no
/// three replicas could be exchanged one by one.
package struct Exchange: Hashable, Codable, Sendable {
    /// The stable revision's replicas when it has all traffic.
    package var stable: Int
    /// The canary's when it has all traffic.
    package var canary: Int
    /// What may be added, in percent of the larger of the two.
    package var surge: Int

    package init(stable: Int, canary: Int, surge: Int) {
        self.stable = stable
        self.canary = canary
        self.surge = surge
    }

    /// How many of `count` replicas `weight` takes.
    package static func cover(of count: Int, at weight: TrafficWeight) -> Int {
        weight == .none ? 0 : (count * weight.percent - min(count, 100)) / 100 + 1
    }

    /// What may be added; without at least one replica more, nothing could be exchanged.
    package var extra: Int { max(1, (max(self.stable, self.canary) * self.surge + 99) / 100) }

    /// How many replicas of both there may be together.
    package var limit: Int { max(self.stable, self.canary) + self.extra }

    /// What the canary needs before the router is asked for `weight`.
    package func need(at weight: TrafficWeight) -> Int { max(1, Self.cover(of: self.canary, at: weight)) }

    /// What the canary can have while the router gives it `weight`: stable keeps what its part takes.
    package func room(at weight: TrafficWeight) -> Int {
        self.limit - Self.cover(of: self.stable, at: weight.complement)
    }

    /// The largest weight that the canary can go to from `weight`.
    package func reach(from weight: TrafficWeight) -> TrafficWeight {
        self.largestWeight { self.need(at: $0) <= self.room(at: weight) }
    }

    /// The largest weight that the previous revision can keep in a bake: what was added is all that it has then.
    package var largestHoldback: TrafficWeight {
        self.largestWeight { Self.cover(of: self.stable, at: $0) <= self.extra }
    }

    private func largestWeight(_ fits: (TrafficWeight) -> Bool) -> TrafficWeight {
        (0...100).reversed().lazy.map(TrafficWeight.init(percent:)).first(where: fits) ?? .none
    }
}

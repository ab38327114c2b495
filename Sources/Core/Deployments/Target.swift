/// What the world should look like for one deployment in the current phase of its rollout.
package struct Target: Hashable, Codable, Sendable {
    /// How many replicas of each revision to keep; a revision that is absent is to go.
    package var replicas: [Revision: Int]
    /// How the traffic is to be split: weights that sum to 100, or empty when nothing can serve yet.
    package var traffic: Traffic
    /// Whose artifacts are to be here besides those of the replicas.
    package var fetches: Set<Revision>
    /// Revisions can't run beside each other: no replica starts while one of another revision is left, and traffic
    /// ends for that.
    package var isExclusive: Bool

    package init(
        replicas: [Revision: Int],
        traffic: Traffic,
        fetches: Set<Revision> = [],
        isExclusive: Bool = false
    ) {
        self.replicas = replicas
        self.traffic = traffic
        self.fetches = fetches
        self.isExclusive = isExclusive
    }

    package var weights: [Revision: TrafficWeight] { self.traffic.weights }
}

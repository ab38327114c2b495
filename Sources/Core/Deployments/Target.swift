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
    /// Set while the revisions share a room that is too small for all of them in full.
    package var sharing: Sharing?

    package struct Sharing: Hashable, Codable, Sendable {
        /// How many replicas there may be, of all revisions together.
        package var limit: Int
        /// How many replicas each revision has when it gets all traffic.
        package var full: [Revision: Int]
        /// A look that is not newer than this may not show yet what was started before.
        package var since: Timestamp

        package init(limit: Int, full: [Revision: Int], since: Timestamp) {
            self.limit = limit
            self.full = full
            self.since = since
        }

        /// How many replicas of `revision` its part of the traffic takes.
        package func cover(_ revision: Revision, at weight: TrafficWeight) -> Int {
            Exchange.cover(of: self.full[revision] ?? 0, at: weight)
        }
    }

    package init(
        replicas: [Revision: Int],
        traffic: Traffic,
        fetches: Set<Revision> = [],
        isExclusive: Bool = false,
        sharing: Sharing? = nil
    ) {
        self.replicas = replicas
        self.traffic = traffic
        self.fetches = fetches
        self.isExclusive = isExclusive
        self.sharing = sharing
    }

    package var weights: [Revision: TrafficWeight] { self.traffic.weights }
}

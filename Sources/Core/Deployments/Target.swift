/// What the world should look like for one deployment in the current phase of its rollout.
package struct Target: Hashable, Codable, Sendable {
    /// How many replicas of each revision to keep; a revision that is absent is to go.
    package var replicas: [Revision: Int]
    /// How the traffic is to be split: weights that sum to 100, or empty when nothing can serve yet.
    package var traffic: Traffic

    package init(replicas: [Revision: Int], traffic: Traffic) {
        self.replicas = replicas
        self.traffic = traffic
    }

    package var weights: [Revision: TrafficWeight] { self.traffic.weights }
}

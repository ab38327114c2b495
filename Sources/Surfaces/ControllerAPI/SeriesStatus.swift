package import Foundation

/// What the gates of a deployment's rollout measured as time went by, and how the traffic was split.
///
/// Bounded: the longer a rollout lasts, the farther apart the points are.
package struct SeriesStatus: Codable, Hashable, Sendable {
    /// The most points of a gate, and of the traffic.
    package static let limit = 240

    package var deployment: String
    /// The revisions' digests.
    package var canary: String
    package var stable: String?
    /// The least time between two points.
    package var pointSeconds: Double
    package var traffic: [Traffic]
    package var gates: [Gate]

    /// Percent of the requests, as the router serves them.
    package struct Traffic: Codable, Hashable, Sendable {
        package var time: Date
        package var canary: Int
        package var stable: Int

        package init(time: Date, canary: Int, stable: Int) {
            self.time = time
            self.canary = canary
            self.stable = stable
        }
    }

    /// A gate that compares counters; of the others there is nothing to draw.
    package struct Gate: Codable, Hashable, Sendable {
        package var name: String
        /// What is counted: `answers 5xx, resets and timeouts`.
        package var counts: String
        /// What the canary must keep, in words.
        package var limit: String
        package var points: [Point]

        package init(name: String, counts: String, limit: String, points: [Point] = []) {
            self.name = name
            self.counts = counts
            self.limit = limit
            self.points = points
        }
    }

    package struct Point: Codable, Hashable, Sendable {
        package var time: Date
        /// The step that it belongs to, from 1 on: what is counted begins anew with each.
        package var step: Int
        /// As `outcome` of a deployment's gates.
        package var outcome: String
        /// Nothing without requests.
        package var canary: Share?
        package var stable: Share?
        /// The largest share that the canary may have, as far as stable's is known.
        package var limit: Double?
        /// Evidence for a breach and for the next weight, 0 (none) to 1 (decided).
        package var breachEvidence: Double
        package var safeEvidence: Double

        package init(
            time: Date,
            step: Int,
            outcome: String,
            canary: Share? = nil,
            stable: Share? = nil,
            limit: Double? = nil,
            breachEvidence: Double = 0,
            safeEvidence: Double = 0
        ) {
            self.time = time
            self.step = step
            self.outcome = outcome
            self.canary = canary
            self.stable = stable
            self.limit = limit
            self.breachEvidence = breachEvidence
            self.safeEvidence = safeEvidence
        }
    }

    /// Bad requests per request since the step began, 0 to 1, and what it is with 95 percent confidence.
    package struct Share: Codable, Hashable, Sendable {
        package var value: Double
        package var lower: Double
        package var upper: Double
        package var requests: Int64

        package init(value: Double, lower: Double, upper: Double, requests: Int64) {
            self.value = value
            self.lower = lower
            self.upper = upper
            self.requests = requests
        }
    }

    package init(
        deployment: String,
        canary: String,
        stable: String?,
        pointSeconds: Double,
        traffic: [Traffic] = [],
        gates: [Gate] = []
    ) {
        self.deployment = deployment
        self.canary = canary
        self.stable = stable
        self.pointSeconds = pointSeconds
        self.traffic = traffic
        self.gates = gates
    }
}

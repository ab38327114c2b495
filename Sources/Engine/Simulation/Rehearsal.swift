import Analysis
package import Deployments
import Planning
import Rollouts

/// One rollout in a calm world that somebody describes: how many requests, how good stable and canary are.
///
/// Where ``World`` looks for broken rules, this shows people what their manifest would do. The core is the daemon's;
/// the same seed gives the same rollout.
package struct Rehearsal: Sendable {
    /// How a revision answers: shares of its requests, from 0 to 1.
    package struct Quality: Hashable, Codable, Sendable {
        /// Answers 5xx, resets and timeouts.
        package var errors: Double
        /// Answers 4xx.
        package var clientErrors: Double
        /// Answers slower than every bound of the manifest.
        package var slow: Double

        package init(errors: Double = 0, clientErrors: Double = 0, slow: Double = 0) {
            self.errors = errors
            self.clientErrors = clientErrors
            self.slow = slow
        }
    }

    /// What is assumed.
    package struct Assumptions: Hashable, Sendable {
        /// Requests per second, both revisions together.
        package var rate: Double
        package var stable = Quality()
        package var canary = Quality()
        /// The share of the requests, from 0 to 1, that have the headers of a match step.
        package var matching = 0.05
        /// Until a replica is ready.
        package var startup: Duration = .seconds(10)
        /// How long a person takes to approve; nothing when nobody does.
        package var approval: Duration? = .zero
        /// What a gate that asks others is answered, by its name: for a threshold its value, for a ratio the canary's
        /// share of bad ones, for a mean its mean, for drift the share of its answers that are others than stable's,
        /// for compared answers the share that differs, for slower answers the share of pairs in which the canary's is
        /// the slower one, 0.1 to 0.9. A gate that is not here gets an answer within its limits, or
        /// as stable's.
        package var metrics: [String: Double] = [:]
        /// What has not ended by then stays open.
        package var limit: Duration = .hours(24)

        package init(rate: Double) {
            self.rate = rate
        }
    }

    /// Of what a ratio gate counts, so much is bad with stable.
    package static let assumedShare = 0.01
    /// The mean of what a mean gate counts, with stable.
    package static let assumedMean = 0.5

    package struct Event: Hashable, Sendable {
        /// Since the merge.
        package var after: Duration
        /// A transition's, `traffic` or `held`.
        package var kind: String
        package var message: String
    }

    package enum Verdict: Hashable, Sendable {
        case promoted
        case rolledBack(String)
        /// What it waits for at the end of the time.
        case open(String)
    }

    package private(set) var events: [Event] = []
    package private(set) var verdict: Verdict
    /// From the merge to the promotion or the decision to roll back.
    package private(set) var decided: Duration?
    /// From the merge to the end: settled, or out of time.
    package private(set) var ended: Duration = .zero
    /// Requests of users that the canary got until it was promoted, and those of them that failed.
    package private(set) var canaryRequests: Int64 = 0
    package private(set) var canaryFailures: Int64 = 0

    /// Rolls `spec` out in place of a revision of the same manifest.
    package init(of spec: DeploymentSpec, _ assumptions: Assumptions, seed: UInt64) {
        self.verdict = .open("nothing happened")
        var world = RehearsalWorld(spec: spec, assumptions, seed: seed)
        var held: [String] = []
        var served = world.served
        while world.elapsed < assumptions.limit {
            for transition in world.step() {
                self.events.append(
                    Event(after: world.elapsed, kind: transition.kind.rawValue, message: transition.message)
                )
                self.note(transition, at: world.elapsed)
            }
            if world.served != served {
                served = world.served
                self.events.append(Event(after: world.elapsed, kind: "traffic", message: world.text(of: served)))
            }
            let holds = world.holds
            if holds.map(\.kind) != held, !holds.isEmpty {
                let message = holds.map(\.message).joined(separator: "; ")
                self.events.append(Event(after: world.elapsed, kind: "held", message: message))
            }
            held = holds.map(\.kind)
            self.ended = world.elapsed
            if world.hasEnded { break }
        }
        if self.decided == nil {
            self.verdict = .open(world.holds.first?.message ?? "\(world.rollout.phase.name), still going on")
        }
        (self.canaryRequests, self.canaryFailures) = world.canaryAnswers
    }

    private mutating func note(_ transition: Transition, at time: Duration) {
        // After a rollback in the bake the last word counts.
        if transition.kind == .promoted {
            (self.verdict, self.decided) = (.promoted, time)
        } else if transition.kind == .rollingBack {
            (self.verdict, self.decided) = (.rolledBack(transition.message), time)
        }
    }
}

import Deployments
import Rollouts
package import Simulation

/// What became of simulated rollouts.
package struct SimulationReport: Codable, Hashable, Sendable {
    package var deployment: String
    package var model: String
    /// Requests per second.
    package var rate: Double
    /// What was assumed, as shares from 0 to 1.
    package var stable: Rehearsal.Quality
    package var canary: Rehearsal.Quality
    package var runs: [Run]
    package var summary: Summary

    package struct Run: Codable, Hashable, Sendable {
        package var seed: UInt64
        /// `promoted`, `rolled-back` or `open`.
        package var verdict: String
        /// Why it was rolled back, or what it waits for.
        package var reason: String?
        /// From the merge to the promotion or the decision to roll back.
        package var decidedAfterSeconds: Int?
        package var endedAfterSeconds: Int
        /// Of users, until the promotion.
        package var canaryRequests: Int64
        package var canaryFailures: Int64
        /// The timeline; only when there is one run.
        package var events: [Event]?
    }

    package struct Event: Codable, Hashable, Sendable {
        package var afterSeconds: Int
        package var kind: String
        package var message: String
    }

    package struct Summary: Codable, Hashable, Sendable {
        package var promoted: Outcome
        package var rolledBack: Outcome
        package var open: Outcome
        /// Failed answers of the canary to users, a run.
        package var canaryFailuresMedian: Int64
        package var canaryFailuresMost: Int64
    }

    package struct Outcome: Codable, Hashable, Sendable {
        package var runs: Int
        /// From the merge to the decision.
        package var medianSeconds: Int?
        package var leastSeconds: Int?
        package var mostSeconds: Int?
        /// How often each reason, without its figures.
        package var reasons: [String: Int]
    }

    init(_ spec: DeploymentSpec, _ assumptions: Rehearsal.Assumptions, _ rehearsals: [(seed: UInt64, Rehearsal)]) {
        self.deployment = spec.id.description
        self.model = "\(spec.model.name) \(spec.model.version)"
        self.rate = assumptions.rate
        self.stable = assumptions.stable
        self.canary = assumptions.canary
        self.runs = rehearsals.map { Run($0.1, seed: $0.seed, isOnly: rehearsals.count == 1) }
        let failures = self.runs.map(\.canaryFailures).sorted()
        self.summary = Summary(
            promoted: Outcome(self.runs.filter { $0.verdict == "promoted" }),
            rolledBack: Outcome(self.runs.filter { $0.verdict == "rolled-back" }),
            open: Outcome(self.runs.filter { $0.verdict == "open" }),
            canaryFailuresMedian: failures.isEmpty ? 0 : failures[failures.count / 2],
            canaryFailuresMost: failures.last ?? 0
        )
    }
}

extension SimulationReport.Run {
    fileprivate init(_ rehearsal: Rehearsal, seed: UInt64, isOnly: Bool) {
        let (verdict, reason): (String, String?) =
            switch rehearsal.verdict {
            case .promoted: ("promoted", nil)
            case .rolledBack(let reason): ("rolled-back", reason)
            case .open(let reason): ("open", reason)
            }
        self.init(
            seed: seed,
            verdict: verdict,
            reason: reason,
            decidedAfterSeconds: rehearsal.decided.map { Int($0.inSeconds) },
            endedAfterSeconds: Int(rehearsal.ended.inSeconds),
            canaryRequests: rehearsal.canaryRequests,
            canaryFailures: rehearsal.canaryFailures,
            events: isOnly
                ? rehearsal.events.map {
                    SimulationReport.Event(
                        afterSeconds: Int($0.after.inSeconds),
                        kind: $0.kind,
                        message: $0.message
                    )
                } : nil
        )
    }
}

extension SimulationReport.Outcome {
    fileprivate init(_ runs: [SimulationReport.Run]) {
        let times = runs.compactMap(\.decidedAfterSeconds).sorted()
        self.init(
            runs: runs.count,
            medianSeconds: times.isEmpty ? nil : times[times.count / 2],
            leastSeconds: times.first,
            mostSeconds: times.last,
            reasons: Dictionary(grouping: runs.compactMap(\.reason)) { reason in
                // `gate errors failed: canary 4.1 % of 480 …`
                String(reason.prefix { $0 != ":" })
            }.mapValues(\.count)
        )
    }
}

import Analysis
package import ControllerAPI
package import Deployments
import Foundation
package import Reconciliation
import Rollouts

/// What the gates of each rollout measured over time, taken from the snapshots: the newest rollout of each deployment,
/// at most 240 points of each gate, and of at most 500 deployments.
///
/// Kept here and not by the engine, as nothing is decided by it. A controller that starts begins anew: what the gates
/// know is journaled, when they learnt it is not.
package struct SeriesBook: Sendable {
    private var all: [DeploymentID: Entry] = [:]

    private struct Entry {
        var status: SeriesStatus
        var isInFlight: Bool
        /// When a point was taken last.
        var last: Timestamp
    }

    /// A point for each poll of the router, at first.
    package static let firstPause: Duration = .seconds(2)
    package static let deploymentLimit = 500

    package init() {}

    package subscript(id: DeploymentID) -> SeriesStatus? { self.all[id]?.status }

    package mutating func add(_ fleet: FleetSnapshot) {
        for (id, snapshot) in fleet.deployments {
            let rollout = snapshot.rollout
            guard rollout.isInFlight, let canary = rollout.canary else {
                self.end(id, snapshot, at: fleet.time)
                continue
            }
            var entry: Entry
            if let known = self.all[id], known.isInFlight, known.status.canary == canary.revision.digest {
                entry = known
                guard (fleet.time - entry.last) / .seconds(1) >= entry.status.pointSeconds else { continue }
            } else {
                entry = Entry(
                    status: SeriesStatus(
                        deployment: id.description,
                        canary: canary.revision.digest,
                        stable: rollout.stable?.revision.digest,
                        pointSeconds: Self.firstPause / .seconds(1)
                    ),
                    isInFlight: true,
                    last: fleet.time
                )
            }
            entry.last = fleet.time
            entry.status.add(snapshot, at: fleet.time)
            self.all[id] = entry
        }
        for id in self.all.keys where fleet.deployments[id] == nil { self.all[id] = nil }
        self.makeRoom()
    }

    /// The last point says how the traffic was when it was over.
    private mutating func end(_ id: DeploymentID, _ snapshot: DeploymentSnapshot, at now: Timestamp) {
        guard var entry = self.all[id], entry.isInFlight else { return }
        entry.isInFlight = false
        entry.last = now
        entry.status.addTraffic(snapshot, at: now)
        self.all[id] = entry
    }

    /// What ended longest ago goes first.
    private mutating func makeRoom() {
        let surplus = self.all.count - Self.deploymentLimit
        guard surplus > 0 else { return }
        let oldest = self.all.sorted { left, right in
            left.value.isInFlight == right.value.isInFlight
                ? left.value.last < right.value.last : !left.value.isInFlight
        }
        for (id, _) in oldest.prefix(surplus) { self.all[id] = nil }
    }
}

extension SeriesStatus {
    mutating func add(_ snapshot: DeploymentSnapshot, at now: Timestamp) {
        defer { self.thin() }
        self.addTraffic(snapshot, at: now)
        let rollout = snapshot.rollout
        guard case .stepping(let step, _) = rollout.phase, let analysis = rollout.analysis else { return }
        for assessment in snapshot.assessments(at: now) {
            guard let evidence = assessment.comparison, let counts = assessment.gate.kind.counted else { continue }
            let index: Int
            if let known = self.gates.firstIndex(where: { $0.name == assessment.gate.name }) {
                index = known
            } else {
                index = self.gates.count
                self.gates.append(Gate(name: assessment.gate.name, counts: counts, limit: assessment.limit))
            }
            let (ratio, difference) = (analysis.parameters.breachRatio, analysis.parameters.breachDifference)
            self.gates[index].points.append(
                Point(
                    time: Date(now),
                    step: step + 1,
                    outcome: assessment.outcome.rawValue,
                    canary: Share(evidence.canary, evidence.canaryInterval),
                    stable: Share(evidence.stable, evidence.stableInterval),
                    limit: evidence.stable.rate.map { min(1, $0 * ratio + difference) },
                    breachEvidence: evidence.breachShare,
                    safeEvidence: evidence.safeShare
                )
            )
        }
    }

    mutating func addTraffic(_ snapshot: DeploymentSnapshot, at now: Timestamp) {
        guard let router = snapshot.observation.router.last else { return }
        func percent(_ digest: String?) -> Int {
            let specs = [snapshot.rollout.canary, snapshot.rollout.stable, snapshot.rollout.previous]
            guard let digest, let spec = specs.compactMap({ $0 }).first(where: { $0.revision.digest == digest }) else {
                return 0
            }
            return router.traffic[spec.revision].percent
        }
        self.traffic.append(
            Traffic(time: Date(now), canary: percent(self.canary), stable: percent(self.stable))
        )
    }

    /// Every other point goes once there are too many, but for the newest, and from then on half as many are taken.
    private mutating func thin() {
        let most = max(self.traffic.count, self.gates.map(\.points.count).max() ?? 0)
        guard most > Self.limit else { return }
        self.pointSeconds *= 2
        self.traffic = Self.everyOther(self.traffic)
        for index in self.gates.indices { self.gates[index].points = Self.everyOther(self.gates[index].points) }
    }

    private static func everyOther<Element>(_ all: [Element]) -> [Element] {
        all.indices.filter { ($0 - (all.count - 1)).isMultiple(of: 2) }.map { all[$0] }
    }
}

extension SeriesStatus.Share {
    fileprivate init?(_ counts: EventCounts, _ interval: Interval?) {
        guard let rate = counts.rate, let interval else { return nil }
        self.init(value: rate, lower: interval.lower, upper: interval.upper, requests: counts.total)
    }
}

extension Deployments.Gate.Kind {
    /// What is counted of the answers; nothing for gates whose shares of two revisions are not compared.
    fileprivate var counted: String? {
        switch self {
        case .errors: "answers 5xx, resets and timeouts"
        case .clientErrors: "answers 4xx"
        case .latency(let bound): bound.map { "answers slower than \($0.short)" } ?? "answers slower than its bound"
        case .ratio: "bad ones of all that its provider counts"
        case .slowdown, .threshold, .mean, .drift, .webhook, .job, .answers, .preset: nil
        }
    }
}

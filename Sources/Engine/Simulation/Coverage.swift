import Deployments
package import Rollouts

/// What simulated worlds have been through, to see that hostile ones reach every corner of the core.
package struct Coverage: Hashable, Sendable {
    package enum Group: String, CaseIterable, Hashable, Sendable {
        case phase
        case transition
        case rollback
        case hold
        case signOff
        case judged
        case exchange
        case fault
    }

    /// In how many worlds each thing was seen.
    package private(set) var counts: [Group: [String: Int]] = [:]
    package private(set) var worlds = 0
    /// Of all worlds together.
    package private(set) var virtualTime: Duration = .zero

    package init() {}

    /// All that must be seen sooner or later.
    package static let expected: [Group: [String]] = [
        .phase: ["settled", "preparing", "replacing", "stepping", "promoting", "baking", "rollingBack", "removing"],
        .transition: Transition.Kind.allCases.map(\.rawValue),
        .rollback: [
            "gateFailed: errors", "gateFailed: client-errors", "gateFailed: latency", "gateFailed: load",
            "gateFailed: slowdown", "gateFailed: board",
            "objectiveBreached", "inconclusive", "progressDeadline", "artifact", "replicaFailed", "signatureChanged",
            "requested", "aborted", "cancelled",
        ],
        .hold: [
            "paused", "awaitingApproval", "awaitingSignOff", "inconclusive", "gateHolds", "noEvidence",
            "sharedIncident",
            "staleObservation", "dependencies", "frozen",
        ],
        .signOff: SignOff.Place.allCases.map(\.rawValue),
        .judged: [
            "good: promoted", "good: rolled back by a gate", "bad: promoted by hand or policy", "bad: rolled back",
        ],
        .exchange: ["preparing", "stepping", "promoting", "baking", "rollingBack"],
        .fault: (Fault.lasting + Fault.striking + Fault.kills).map(\.name),
    ]

    /// What no world went through.
    package var missing: [String] {
        Group.allCases.flatMap { group in
            (Self.expected[group] ?? []).filter { self.counts[group]?[$0] == nil }.map { "\(group.rawValue) \($0)" }
        }
    }

    package static func += (left: inout Coverage, right: Coverage) {
        left.worlds += right.worlds
        left.virtualTime += right.virtualTime
        for (group, names) in right.counts {
            left.counts[group, default: [:]].merge(names) { $0 + $1 }
        }
    }
}

extension Coverage {
    /// Once a world.
    mutating func see(_ group: Group, _ name: String) {
        self.counts[group, default: [:]][name] = 1
    }

    mutating func end(after time: Duration) {
        self.worlds = 1
        self.virtualTime = time
    }

    mutating func see(_ transitions: [Transition]) {
        for transition in transitions { self.see(.transition, transition.kind.rawValue) }
    }

    mutating func see(_ after: Rollout, before: Rollout) {
        if after.phase != before.phase {
            self.see(.phase, after.phase.name)
            if after.exchange != nil { self.see(.exchange, after.phase.name) }
            if case .rollingBack(let reason) = after.phase { self.see(.rollback, reason.name) }
        }
        if after.holds != before.holds {
            for hold in after.holds { self.see(.hold, hold.name) }
        }
    }
}

extension Coverage: CustomStringConvertible {
    package var description: String {
        Group.allCases.map { group in
            let counts = self.counts[group] ?? [:]
            let names = Set(Self.expected[group] ?? []).union(counts.keys).sorted {
                (counts[$0] ?? 0, $1) > (counts[$1] ?? 0, $0)
            }
            return names.map { name in
                let count = "\(counts[name] ?? 0)"
                return "\(group.rawValue.padded(to: 12))\(name.padded(to: 36))"
                    + String(repeating: " ", count: max(1, 8 - count.count)) + count
            }.joined(separator: "\n")
        }.joined(separator: "\n") + "\nworlds " + "\(self.worlds)"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - self.count))
    }
}

extension Rollout.Phase {
    /// Without the step, its times and reasons.
    package var name: String {
        switch self {
        case .settled: "settled"
        case .preparing: "preparing"
        case .replacing: "replacing"
        case .stepping: "stepping"
        case .promoting: "promoting"
        case .baking: "baking"
        case .rollingBack: "rollingBack"
        case .removing: "removing"
        }
    }
}

extension Rollout.RollbackReason {
    fileprivate var name: String {
        switch self {
        case .gateFailed(let gate, _): "gateFailed: \(gate)"
        case .objectiveBreached: "objectiveBreached"
        case .inconclusive: "inconclusive"
        case .progressDeadline: "progressDeadline"
        case .artifact: "artifact"
        case .replicaFailed: "replicaFailed"
        case .signatureChanged: "signatureChanged"
        case .requested: "requested"
        case .aborted: "aborted"
        case .cancelled: "cancelled"
        }
    }
}

extension Hold {
    fileprivate var name: String {
        switch self {
        case .paused: "paused"
        case .awaitingApproval: "awaitingApproval"
        case .awaitingSignOff: "awaitingSignOff"
        case .inconclusive: "inconclusive"
        case .gateHolds: "gateHolds"
        case .noEvidence: "noEvidence"
        case .sharedIncident: "sharedIncident"
        case .staleObservation: "staleObservation"
        case .dependencies: "dependencies"
        case .frozen: "frozen"
        case .noRoom: "noRoom"
        case .noRoomToScale: "noRoomToScale"
        }
    }
}

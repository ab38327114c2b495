package import Deployments
package import Rollouts

/// Scenarios by hand, mostly of the one deployment ``id``.
extension Scenario {
    package typealias Behaviour = Simulation.Behaviour

    /// What git says, from the look after the given tick on.
    package var commits: [Int: Commit] {
        get { self.pick { if case .commit(let commit) = $0.what { ($0.tick - 1, commit) } else { nil } } }
        set {
            self.happenings.removeAll { if case .commit = $0.what { true } else { false } }
            self.happenings += newValue.map { Happening($0.key + 1, .commit($0.value)) }
        }
    }

    /// What operators say of ``id``.
    package var commands: [Int: [Command]] {
        get {
            var commands: [Int: [Command]] = [:]
            for case (let tick, .command(Self.id, let command)) in self.happenings.map({ ($0.tick, $0.what) }) {
                commands[tick, default: []].append(command)
            }
            return commands
        }
        set {
            self.happenings.removeAll { if case .command(Self.id, _) = $0.what { true } else { false } }
            for (tick, commands) in newValue {
                self.happenings += commands.map { Happening(tick, .command(Self.id, $0)) }
            }
        }
    }

    /// How revisions are from the given tick on.
    package var changes: [Int: [Revision: Behaviour]] {
        get {
            var changes: [Int: [Revision: Behaviour]] = [:]
            for case (let tick, .change(let revision, let behaviour)) in self.happenings.map({ ($0.tick, $0.what) }) {
                changes[tick, default: [:]][revision] = behaviour
            }
            return changes
        }
        set {
            self.happenings.removeAll { if case .change = $0.what { true } else { false } }
            for (tick, changes) in newValue {
                self.happenings += changes.map { Happening(tick, .change($0.key, $0.value)) }
            }
        }
    }

    /// Requests per second to each deployment, from the given tick on.
    package var loads: [Int: Int] {
        get { self.pick { if case .traffic(let traffic) = $0.what { ($0.tick, traffic) } else { nil } } }
        set {
            self.happenings.removeAll { if case .traffic = $0.what { true } else { false } }
            self.happenings += newValue.map { Happening($0.key, .traffic($0.value)) }
        }
    }

    /// Faults that last, in the given ticks; one of each kind.
    package var outages: [Fault: ClosedRange<Int>] {
        get {
            var outages: [Fault: ClosedRange<Int>] = [:]
            for case (let tick, .fault(let fault, let amount)) in self.happenings.map({ ($0.tick, $0.what) })
            where Fault.lasting.contains(fault) {
                outages[fault] = tick...(tick + amount - 1)
            }
            return outages
        }
        set {
            self.happenings.removeAll {
                if case .fault(let fault, _) = $0.what { Fault.lasting.contains(fault) } else { false }
            }
            self.happenings += newValue.map { Happening($0.value.lowerBound, .fault($0.key, amount: $0.value.count)) }
        }
    }

    /// The controller is killed after the next decision that it journals from these ticks on, before it acts.
    package var kills: Set<Int> {
        get {
            Set(self.happenings.compactMap { if case .fault(.kill, _) = $0.what { $0.tick } else { nil } })
        }
        set {
            self.happenings.removeAll { if case .fault(.kill, _) = $0.what { true } else { false } }
            self.happenings += newValue.map { Happening($0, .fault(.kill(.append, .after), amount: 0)) }
        }
    }

    private func pick<Value>(_ value: (Happening) -> (Int, Value)?) -> [Int: Value] {
        Dictionary(self.happenings.compactMap(value)) { _, last in last }
    }
}

extension Scenario.Commit {
    package static func spec(_ spec: DeploymentSpec) -> Self {
        Self(id: spec.origin.commit, [spec.id: .spec(spec)])
    }

    package static let absent = Self(id: String(repeating: "a", count: 40), [Scenario.id: .absent])
    package static let broken = Self(id: String(repeating: "b", count: 40), [Scenario.id: .broken])
}

import Deployments
import Reconciliation
import Rollouts
import Simulation

/// What a scripted world went through, a line for each thing that changed.
struct Transcript {
    private(set) var text: String
    private(set) var violations: [Violation]
    private(set) var rollout: Rollout

    init(of script: Script) async {
        var world = World(scenario: script.scenario, seed: 1)
        self.text = "\(script.about)\n\n"
        self.rollout = Rollout(id: Scenario.id, at: Timestamp(milliseconds: 0))
        self.violations = []
        var served = Traffic()
        var seen = 0
        var running: [Revision: Int] = [:]
        while world.time < script.scenario.ticks {
            let before = world.rollout(of: Scenario.id) ?? self.rollout
            await world.step()
            let now = world.rollout(of: Scenario.id) ?? before
            for event in Self.events(in: script.scenario, at: world.time) { self.write(world.time, event) }
            if world.served(of: Scenario.id) != served {
                served = world.served(of: Scenario.id)
                self.write(world.time, "router", Self.text(served))
            }
            // Only where their number is what it is about.
            if now.exchange != nil, world.running(of: Scenario.id) != running {
                running = world.running(of: Scenario.id)
                let counts = running.sorted { $0.key < $1.key }.map { "\($0.value) of model \(Self.number($0.key))" }
                self.write(world.time, "replicas", counts.joined(separator: ", "))
            }
            for (command, answer) in zip(script.scenario.commands[world.time] ?? [], world.answers) {
                self.write(world.time, "answer", "\(command.by): \(answer.message)")
            }
            for transition in world.transitions.dropFirst(seen).map(\.transition) {
                let by = transition.by.map { " (by \($0))" } ?? ""
                self.write(world.time, transition.kind.rawValue, transition.message + by)
            }
            seen = world.transitions.count
            if Self.text(before.phase) != Self.text(now.phase) {
                self.write(world.time, "phase", Self.text(now.phase))
            }
            let holds = now.holds.map(Self.text)
            if before.holds.map(Self.text) != holds {
                self.write(world.time, "holds", holds.isEmpty ? "none" : holds.joined(separator: ", "))
            }
        }
        self.rollout = world.rollout(of: Scenario.id) ?? self.rollout
        self.violations = await world.run()
        self.text += "\n"
        for (revision, counters) in world.counters(of: Scenario.id).sorted(by: { $0.key < $1.key }) {
            self.text +=
                "model \(Self.number(revision)): \(counters.requests) requests, \(counters.serverErrors) answered 5xx, "
                + "\(counters.clientErrors) answered 4xx, \(counters.latency.slower(than: 250) ?? 0) slow\n"
        }
        let quarantine = self.rollout.quarantine.sorted { $0.key < $1.key }
        for (revision, record) in quarantine {
            self.text += "quarantined: model \(Self.number(revision)), \(record.reason)\n"
        }
    }

    private mutating func write(_ time: Int, _ kind: String, _ message: String) {
        let number = String(repeating: " ", count: max(0, 4 - "\(time)".count)) + "\(time)"
        let column = kind + String(repeating: " ", count: max(0, 16 - kind.count))
        self.text += "\(number)  \(column)  \(message)\n"
    }

    private mutating func write(_ time: Int, _ event: String) {
        self.write(time, "*", event)
    }

    // MARK: - Words

    private static func events(in scenario: Scenario, at time: Int) -> [String] {
        var events: [String] = []
        if let commit = scenario.commits[time - 1] {
            switch commit.changes[Scenario.id] {
            case .spec(let spec):
                if case .spec(let before) = scenario.commits[time - 2]?.changes[Scenario.id], before == spec { break }
                events.append("git names \(spec.label)")
            case .absent: events.append("the manifest is gone")
            case .broken: events.append("the manifest does not parse")
            case .unreadable: events.append("the manifest cannot be read")
            case nil: break
            }
        }
        for case .prune in scenario.happenings.filter({ $0.tick == time }).map(\.what) {
            events.append("the operator says that the manifest is meant to be gone")
        }
        for (fault, ticks) in scenario.outages.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            if ticks.lowerBound == time { events.append("\(fault) begins") }
            if ticks.upperBound + 1 == time { events.append("\(fault) ends") }
        }
        if scenario.kills.contains(time) { events.append("the controller is killed and started again") }
        for revision in (scenario.changes[time] ?? [:]).keys.sorted() {
            events.append("model \(Self.number(revision)) changes its ways")
        }
        if let load = scenario.loads[time] { events.append("\(load) requests/s from now on") }
        for command in scenario.commands[time] ?? [] { events.append("\(command.by) says \(command.verb)") }
        return events
    }

    private static func number(_ revision: Revision) -> String { String(revision.digest.prefix(1)) }

    private static func text(_ traffic: Traffic) -> String {
        if traffic.isEmpty { return "no traffic" }
        var parts = traffic.weights.sorted { $0.key < $1.key }.map { "model \(Self.number($0.key)) \($0.value)" }
        parts += traffic.matches.map { "model \(Self.number($0.revision)) where \($0.headers)" }
        if let mirror = traffic.mirror {
            parts.append("copies of \(mirror.percent) to model \(Self.number(mirror.revision))")
        }
        return parts.joined(separator: ", ")
    }

    private static func text(_ phase: Rollout.Phase) -> String {
        switch phase {
        case .stepping(let step, let served): "step \(step + 1)" + (served == nil ? "" : ", judged from now on")
        default: phase.name
        }
    }

    /// Without evidence that changes with every sample.
    private static func text(_ hold: Hold) -> String {
        switch hold {
        case .paused(let by, let why, _): "paused by \(by): \(why)"
        case .awaitingApproval(let step): "awaiting approval, step \(step + 1)"
        case .awaitingSignOff(let place, let needsApproval, let gates):
            "\(place): \(SignOff.words(needsApproval: needsApproval, gates: gates))"
        case .inconclusive(let step): "inconclusive, step \(step + 1)"
        case .gateHolds(let gate, _): "gate \(gate) holds"
        case .noEvidence(let gate, let why): "no evidence for \(gate): \(why)"
        case .sharedIncident: "shared incident"
        case .staleObservation(let what): what
        case .frozen(let window, let until): "frozen by \(window) until \(until.utc)"
        case .noRoom(let why): "no room: \(why)"
        case .noRoomToScale(let needed, let fits, let why): "needs \(needed) replicas, room for \(fits): \(why)"
        case .dependencies(let names): "waiting for \(names.map(\.description).joined(separator: ", "))"
        }
    }
}

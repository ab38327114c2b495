import Deployments
import Reconciliation
import Rollouts

/// Makes a scenario that breaks a rule shorter, as long as it breaks the same one.
///
/// What happens is a list, so it is done by leaving out parts of it: halves, then quarters, down to single things
/// (Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28, 2002). The work is bounded.
package enum Minimiser {
    package struct Result: Sendable {
        package var scenario: Scenario
        package var violation: Violation?
        package var runs: Int
    }

    /// `rule` must stay broken; what follows its first colon may differ. At most `limit` worlds are run. `run` is how
    /// one is; the tests put broken controllers there.
    package static func minimise(
        _ scenario: Scenario,
        seed: UInt64,
        rule: String,
        limit: Int = 300,
        run: ((Scenario) async -> [Violation])? = nil
    ) async -> Result {
        let run =
            run ?? { scenario in
                var world = World(scenario: scenario, seed: seed)
                return await world.run()
            }
        var result = Result(scenario: scenario, violation: nil, runs: 0)
        var size = max(1, scenario.happenings.count / 2)
        while result.runs < limit {
            let before = result.scenario.happenings.count
            var index = 0
            while index < result.scenario.happenings.count, result.runs < limit {
                var shorter = result.scenario
                shorter.happenings.removeSubrange(index..<min(index + size, shorter.happenings.count))
                result.runs += 1
                if let violation = await run(shorter).first, Self.isSame(violation.rule, rule) {
                    result.scenario = shorter
                    result.violation = violation
                } else {
                    index += size
                }
            }
            if size == 1, result.scenario.happenings.count == before { break }
            size = max(1, size / 2)
        }
        return result
    }

    /// `rule 4: …` and another `rule 4: …` are one.
    private static func isSame(_ rule: String, _ other: String) -> Bool {
        rule.prefix { $0 != ":" } == other.prefix { $0 != ":" }
    }
}

extension Minimiser.Result: CustomStringConvertible {
    /// A line for each thing that must happen.
    package var description: String {
        let violation = self.violation.map { ["    breaks: \($0)"] } ?? []
        let lines = self.scenario.happenings.sorted { $0.tick < $1.tick }.map { "    \($0)" }
        let head =
            "  the shortest found after \(self.runs) runs: \(self.scenario.traffic) requests/s, "
            + "a tick is \(self.scenario.tick.short), git is looked at every \(self.scenario.pollEvery)"
        return ([head] + lines + violation).joined(separator: "\n")
    }
}

extension Scenario.Happening: CustomStringConvertible {
    package var description: String {
        "tick \(self.tick): " + self.words
    }

    private var words: String {
        switch self.what {
        case .commit(let commit):
            let changes = commit.changes.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.words($0.value))" }
            return "\(Scenario.sourceName(commit.source)) commit \(commit.id.prefix(8))"
                + (commit.rewritesHistory ? ", history rewritten" : "") + ": " + changes.joined(separator: "; ")
        case .command(let id, let command): return "\(command.by): \(command.verb) \(id)"
        case .prune(let id): return "operator: prune \(id)"
        case .freeze(.begin(let freeze)): return "\(freeze.by): freeze \(freeze.selection) until \(freeze.until.utc)"
        case .freeze(.end(let number, let name)): return "\(name): unfreeze \(number)"
        case .change(let revision, let behaviour): return "\(revision) is from now on \(behaviour)"
        case .traffic(let traffic): return "\(traffic) requests/s from now on"
        case .fault(let fault, let amount): return "\(fault.name), \(amount)"
        }
    }

    private static func words(_ change: Scenario.Change) -> String {
        switch change {
        case .spec(let spec): "is revision \(spec.revision)"
        case .absent: "is gone"
        case .broken: "does not parse"
        case .unreadable: "cannot be read"
        }
    }
}

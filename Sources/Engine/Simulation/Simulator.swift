import Deployments
import Reconciliation

/// Many hostile worlds in a row.
package enum Simulator {
    package struct Failure: Sendable, CustomStringConvertible {
        package var seed: UInt64
        package var violations: [Violation]

        package var description: String {
            "seed \(self.seed): " + self.violations.map(\.description).joined(separator: "\n  ")
                + "\n  replay: make simulate RUNS=1 SEED=\(self.seed)"
        }

        /// The shortest scenario found that breaks the same rule.
        package func minimised() async -> Minimiser.Result {
            await Minimiser.minimise(.hostile(seed: self.seed), seed: self.seed, rule: self.violations[0].rule)
        }
    }

    package struct Report: Sendable {
        /// At most ten.
        package var failures: [Failure] = []
        package var coverage = Coverage()
        /// Those that were run, the broken ones too.
        package var worlds: UInt64 = 0
        /// Stands for every decision in all of them, in whatever order they were run: two programs, or two runs of one,
        /// that print the same have decided the same.
        package var digest: UInt64 = 0

        package init() {}

        package static func += (left: inout Report, right: Report) {
            left.failures = Array((left.failures + right.failures).prefix(10))
            left.coverage += right.coverage
            left.worlds += right.worlds
            left.digest &+= right.digest
        }
    }

    /// Every so many seeds a world is run twice, which must agree in every record of the journal (rule 10).
    private static let twiceEvery: UInt64 = 100

    /// Runs worlds of consecutive seeds, and stops early at ten failures.
    package static func run(seeds: Range<UInt64>) async -> Report {
        var report = Report()
        for seed in seeds {
            let scenario = Scenario.hostile(seed: seed)
            let isTwice = seed % Self.twiceEvery == 0
            var world = World(scenario: scenario, seed: seed, isRecording: isTwice)
            var violations = await world.run()
            report.coverage += world.coverage
            report.worlds += 1
            var digest = DecisionDigest()
            digest.take(seed)
            digest.take(world.digest)
            report.digest &+= digest.value
            if isTwice, violations.isEmpty, await Self.differs(world.records, scenario, seed) {
                violations.append(Violation(tick: world.time, rule: "rule 10: two runs differ", detail: "seed \(seed)"))
            }
            guard !violations.isEmpty else { continue }
            report.failures.append(Failure(seed: seed, violations: violations))
            if report.failures.count == 10 { break }
        }
        return report
    }

    private static func differs(_ records: [JournalRecord], _ scenario: Scenario, _ seed: UInt64) async -> Bool {
        var world = World(scenario: scenario, seed: seed, isRecording: true)
        _ = await world.run()
        return world.records != records
    }
}

/// Many hostile worlds in a row.
package enum Simulator {
    package struct Failure: Sendable, CustomStringConvertible {
        package var seed: UInt64
        package var violations: [String]

        package var description: String {
            "seed \(self.seed): \(self.violations.joined(separator: "\n  "))\n  "
                + "replay: make simulate RUNS=1 SEED=\(self.seed)"
        }
    }

    package struct Report: Sendable {
        /// At most ten.
        package var failures: [Failure] = []
        package var coverage = Coverage()

        package init() {}

        package static func += (left: inout Report, right: Report) {
            left.failures = Array((left.failures + right.failures).prefix(10))
            left.coverage += right.coverage
        }
    }

    /// Runs worlds of consecutive seeds, and stops early at ten failures.
    package static func run(seeds: Range<UInt64>) -> Report {
        var report = Report()
        for seed in seeds {
            var world = World(scenario: .hostile(seed: seed), seed: seed)
            let violations = world.run()
            report.coverage += world.coverage
            if !violations.isEmpty {
                report.failures.append(Failure(seed: seed, violations: violations))
                if report.failures.count == 10 { break }
            }
        }
        return report
    }
}

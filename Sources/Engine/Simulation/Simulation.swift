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

    /// Runs worlds of consecutive seeds.
    ///
    /// - Returns: The first failures, at most ten.
    package static func run(seeds: Range<UInt64>) -> [Failure] {
        var failures: [Failure] = []
        for seed in seeds {
            var world = World(scenario: .hostile(seed: seed), seed: seed)
            let violations = world.run()
            if !violations.isEmpty {
                failures.append(Failure(seed: seed, violations: violations))
                if failures.count == 10 { break }
            }
        }
        return failures
    }
}

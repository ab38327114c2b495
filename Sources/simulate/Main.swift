import Glibc
import Simulation

/// `simulate [RUNS] [SEED]`: runs hostile worlds on every core and exits 1 when one of them breaks a rule.
@main
struct Main {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        let runs = arguments.first ?? 10_000
        let first = arguments.dropFirst().first ?? 1
        let clock = ContinuousClock()
        let start = clock.now
        let chunk: UInt64 = 100
        var failures: [Simulator.Failure] = []
        await withTaskGroup(of: [Simulator.Failure].self) { group in
            for lower in stride(from: first, to: first + runs, by: Int(chunk)) {
                group.addTask { Simulator.run(seeds: lower..<min(lower + chunk, first + runs)) }
            }
            for await found in group { failures += found }
        }
        let seconds = Double((clock.now - start) / .milliseconds(1)) / 1000
        for failure in failures.sorted(by: { $0.seed < $1.seed }).prefix(10) { print(failure) }
        print("\(runs) worlds in \(seconds) s, seeds \(first) to \(first + runs - 1), broken: \(failures.count)")
        if !failures.isEmpty { exit(1) }
    }
}

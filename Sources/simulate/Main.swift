import Glibc
import Simulation

/// `simulate [--runs N] [--seed S]`: runs hostile worlds on every core and exits 1 when one of them breaks a rule.
@main
struct Main {
    static func main() async {
        guard let runs = Self.option("--runs", default: 10_000), let first = Self.option("--seed", default: 1), runs > 0
        else {
            print("usage: simulate [--runs N] [--seed S], both whole numbers, e.g. simulate --runs 10000 --seed 1")
            exit(2)
        }
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

    /// - Returns: Nothing when the option is there without a number.
    private static func option(_ name: String, default value: UInt64) -> UInt64? {
        guard let index = CommandLine.arguments.firstIndex(of: name) else { return value }
        return CommandLine.arguments.dropFirst(index + 1).first.flatMap { UInt64($0) }
    }
}

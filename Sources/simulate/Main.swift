import Glibc
import Simulation

/// `simulate [--runs N] [--seed S] [--coverage]`: runs hostile worlds on every core and exits 1 when one of them breaks
/// a rule, or with `--coverage` also when a thousand or more of them leave a corner of the core unvisited.
@main
struct Main {
    static func main() async {
        guard let runs = Self.option("--runs", default: 10_000), let first = Self.option("--seed", default: 1), runs > 0
        else {
            print("usage: simulate [--runs N] [--seed S] [--coverage], e.g. simulate --runs 10000 --seed 1")
            exit(2)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let chunk: UInt64 = 100
        var report = Simulator.Report()
        await withTaskGroup(of: Simulator.Report.self) { group in
            for lower in stride(from: first, to: first + runs, by: Int(chunk)) {
                group.addTask { Simulator.run(seeds: lower..<min(lower + chunk, first + runs)) }
            }
            for await part in group { report += part }
        }
        let seconds = Double((clock.now - start) / .milliseconds(1)) / 1000
        let failures = report.failures.sorted { $0.seed < $1.seed }
        for failure in failures { print(failure) }
        let isCoverageWanted = CommandLine.arguments.contains("--coverage")
        if isCoverageWanted { print(report.coverage) }
        print("\(runs) worlds in \(seconds) s, seeds \(first) to \(first + runs - 1), broken: \(failures.count)")
        var isShort = false
        if isCoverageWanted, runs >= 1000, failures.isEmpty, !report.coverage.missing.isEmpty {
            print("error: never reached: \(report.coverage.missing.joined(separator: ", "))")
            isShort = true
        }
        if !failures.isEmpty || isShort { exit(1) }
    }

    /// - Returns: Nothing when the option is there without a number.
    private static func option(_ name: String, default value: UInt64) -> UInt64? {
        guard let index = CommandLine.arguments.firstIndex(of: name) else { return value }
        return CommandLine.arguments.dropFirst(index + 1).first.flatMap { UInt64($0) }
    }
}

import Glibc
import Simulation

/// `simulate [--runs N] [--seed S] [--coverage]`: runs hostile worlds on every core and exits 1 when one of them breaks
/// a rule, or with `--coverage` also when a thousand or more of them leave a corner of the core unvisited.
@main
struct Main {
    static func main() async {
        guard let runs = Self.option("--runs", default: 20_000), let first = Self.option("--seed", default: 1), runs > 0
        else {
            print("usage: simulate [--runs N] [--seed S] [--coverage], e.g. simulate --runs 20000 --seed 1")
            exit(2)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let chunk: UInt64 = 100
        var report = Simulator.Report()
        await withTaskGroup(of: Simulator.Report.self) { group in
            var next = first
            let addTask = { (group: inout TaskGroup<Simulator.Report>) in
                let seeds = next..<min(next + chunk, first + runs)
                next = seeds.upperBound
                if !seeds.isEmpty { group.addTask { await Simulator.run(seeds: seeds) } }
            }
            for _ in 0..<Self.cores { addTask(&group) }
            for await part in group {
                report += part
                if report.failures.count < 10 { addTask(&group) }
            }
        }
        let seconds = Double((clock.now - start) / .milliseconds(1)) / 1000
        let failures = report.failures.sorted { $0.seed < $1.seed }
        for failure in failures { print(failure) }
        // One is shortened: most of the time all are of one kind.
        if let failure = failures.first { print(await failure.minimised()) }
        let isCoverageWanted = CommandLine.arguments.contains("--coverage")
        if isCoverageWanted { print(report.coverage) }
        let rate = Int(Double(report.coverage.worlds) / max(0.001, seconds))
        let days = report.coverage.virtualTime / .seconds(86_400)
        print("\(Int(days.rounded())) days of virtual time, seeds \(first) to \(first + runs - 1)")
        print("\(runs) worlds in \(seconds) s (\(rate)/s), broken: \(failures.count)")
        var isShort = false
        if isCoverageWanted, runs >= 1000, failures.isEmpty, !report.coverage.missing.isEmpty {
            print("error: never reached: \(report.coverage.missing.joined(separator: ", "))")
            isShort = true
        }
        if !failures.isEmpty || isShort { exit(1) }
    }

    /// One more than there are would only take time from them.
    private static let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// - Returns: Nothing when the option is there without a number.
    private static func option(_ name: String, default value: UInt64) -> UInt64? {
        guard let index = CommandLine.arguments.firstIndex(of: name) else { return value }
        return CommandLine.arguments.dropFirst(index + 1).first.flatMap { UInt64($0) }
    }
}

import Glibc
import Simulation
import Synchronization

/// `simulate [--runs N] [--seed S] [--coverage]`: runs hostile worlds on every core and exits 1 when one of them breaks
/// a rule, or with `--coverage` also when a thousand or more of them leave a corner of the core unvisited. It says how
/// far it is on standard error. Ctrl-C ends it with a summary of what was run, and exits 130.
@main
struct Main {
    static func main() async {
        guard let runs = Self.option("--runs", default: 20_000), let first = Self.option("--seed", default: 1),
            runs > 0,
            first <= .max - runs
        else {
            print("usage: simulate [--runs N] [--seed S] [--coverage], e.g. simulate --runs 20000 --seed 1")
            exit(2)
        }
        Self.listenForInterrupts()
        let clock = ContinuousClock()
        let start = clock.now
        let report = await Self.run(runs, from: first) { clock.now - start }
        let seconds = ((clock.now - start) / .milliseconds(1)).rounded() / 1000
        let failures = report.failures.sorted { $0.seed < $1.seed }
        // One is shortened: most of the time all are of one kind.
        if let failure = failures.first { print(await failure.minimised()) }
        let isCoverageWanted = CommandLine.arguments.contains("--coverage")
        if isCoverageWanted { print(report.coverage) }
        let rate = Int(Double(report.worlds) / max(0.001, seconds))
        let days = report.coverage.virtualTime / .seconds(86_400)
        let wasInterrupted = Self.isInterrupted.load(ordering: .relaxed) && report.worlds < runs
        let digits = String(report.digest, radix: 16)
        print("\(Int(days.rounded())) days of virtual time, seeds from \(first) on")
        print("all decisions: \(String(repeating: "0", count: 16 - digits.count))\(digits)")
        let part = report.worlds < runs ? " of \(runs)" : ""
        print("\(report.worlds)\(part) worlds in \(seconds) s (\(rate)/s), broken: \(failures.count)")
        var isShort = false
        if isCoverageWanted, report.worlds >= 1000, failures.isEmpty, !report.coverage.missing.isEmpty {
            print("error: never reached: \(report.coverage.missing.joined(separator: ", "))")
            isShort = true
        }
        if !failures.isEmpty || isShort { exit(1) }
        if wasInterrupted { exit(130) }
    }

    /// So many at a time are run by one core: some tenths of a second, after which it says how far it is, and ends when
    /// it is interrupted.
    private static let chunk: UInt64 = 50

    /// Runs consecutive seeds, and stops early at ten failures or when interrupted.
    private static func run(_ runs: UInt64, from first: UInt64, elapsed: () -> Duration) async -> Simulator.Report {
        var report = Simulator.Report()
        let isTerminal = isatty(STDERR_FILENO) == 1
        var progress = Progress(of: runs, isTerminal: isTerminal)
        Self.say("\(runs) worlds from seed \(first) on; Ctrl-C ends with a summary\n")
        await withTaskGroup(of: Simulator.Report.self) { group in
            var next = first
            let addTask = { (group: inout TaskGroup<Simulator.Report>) in
                let seeds = next..<min(next + Self.chunk, first + runs)
                next = seeds.upperBound
                if !seeds.isEmpty { group.addTask { await Simulator.run(seeds: seeds) } }
            }
            for _ in 0..<Self.cores { addTask(&group) }
            for await part in group {
                report += part
                // At once: a long run may have an hour to go.
                if isTerminal, !part.failures.isEmpty { Self.say("\r\u{1B}[K") }
                for failure in part.failures { Self.write("\(failure)\n", STDOUT_FILENO) }
                if report.failures.count < 10, !Self.isInterrupted.load(ordering: .relaxed) { addTask(&group) }
                if let text = progress.text(
                    after: report.worlds,
                    broken: report.failures.count,
                    elapsed: elapsed()
                ) {
                    Self.say(isTerminal ? "\r\(text)\u{1B}[K" : "\(text)\n")
                }
            }
        }
        if isTerminal { Self.say("\r\u{1B}[K") }
        return report
    }

    private static func say(_ text: String) {
        Self.write(text, STDERR_FILENO)
    }

    private static func write(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        // Nobody is harmed by a line less.
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    /// One more than there are would only take time from them.
    private static let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    private static let isInterrupted = Atomic<Bool>(false)

    /// The first signal ends the run at the next chunk, a second one at once.
    private static func listenForInterrupts() {
        // Made here, as a signal handler must not be what makes it.
        Self.isInterrupted.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Main.isInterrupted.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// - Returns: Nothing when the option is there without a number.
    private static func option(_ name: String, default value: UInt64) -> UInt64? {
        guard let index = CommandLine.arguments.firstIndex(of: name) else { return value }
        return CommandLine.arguments.dropFirst(index + 1).first.flatMap { UInt64($0) }
    }
}

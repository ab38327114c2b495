import Analysis
import Glibc

/// `judging-benchmark [RUNS]`: how our judgement and that of other tools do in simulated worlds, and what ours costs.
///
/// A table for people goes to stderr; a line a figure to stdout, as in the other benchmarks; exits 1 when one falls
/// short. The same runs are shown to all judges, the same ones every time.
@main
struct Main {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count <= 1, let runs = Int(arguments.first ?? "1000"), runs > 0 else {
            print("usage: judging-benchmark [RUNS], e.g. judging-benchmark 1000")
            exit(2)
        }
        var figures = [
            Figure("judging-update", Speed.update(), "us", limit: 2),
            Figure("judging-10000-gates", Speed.gates(), "%", limit: 5),
        ]
        var results: [[JudgePreset: CellResult]] = []
        for cell in Cell.all {
            let result = await Self.results(of: cell, runs: runs)
            Self.note(Self.lines(cell, result))
            results.append(result)
        }
        figures += Self.figures(of: results)
        let promotions = await Self.promotions(runs: runs)
        let minutes = promotions.count * 2 > runs ? promotions.sorted()[runs / 2] / 60 : .infinity
        figures.append(Figure("judging-promotion", minutes, "min", limit: 6))
        figures.append(
            Figure("judging-not-promoted", 100 * Double(runs - promotions.count) / Double(runs), "%", limit: 1)
        )
        for figure in figures { print(figure.line) }
        exit(figures.allSatisfy(\.isMet) ? 0 : 1)
    }

    /// What the README promises of these worlds.
    private static func figures(of results: [[JudgePreset: CellResult]]) -> [Figure] {
        let ours = zip(Cell.all, results).map { (cell: $0, result: $1[.controller] ?? CellResult()) }
        let share = { (canary: Cell.Canary) in
            100 * (ours.filter { $0.cell.canary == canary }.map(\.result.rolledBack).max() ?? 1)
        }
        let fivefold = ours.first {
            $0.cell.canary == .worse(5) && $0.cell.requestsPerSecond == 200 && $0.cell.baseline == 0.001
        }?.result
        let failing = ours.filter { $0.cell.canary == .failing(0.5) }.map {
            ($0.result.quantile(0.99) ?? .infinity) / Cell.pollSeconds
        }
        return [
            Figure("judging-false-rollbacks", share(.identical), "%", limit: 0.5),
            Figure("judging-false-rollbacks-incident", share(.sharedIncident), "%", limit: 0.5),
            Figure("judging-fivefold-errors", fivefold?.quantile(0.5) ?? .infinity, "s", limit: 240),
            Figure("judging-fivefold-bad-answers", fivefold?.badQuantile(0.5) ?? .infinity, "", limit: 15),
            Figure("judging-half-failing", failing.max() ?? .infinity, "polls", limit: 3),
        ]
    }

    private static func results(of cell: Cell, runs: Int) async -> [JudgePreset: CellResult] {
        await Self.parts(of: runs) { part in
            var results: [JudgePreset: CellResult] = [:]
            for run in part {
                let hold = cell.hold(run: run)
                for preset in JudgePreset.allCases {
                    let poll =
                        preset == .controller
                        ? hold.judgement().rollbackPoll : Self.rollbackPoll(of: hold, by: preset.judge())
                    results[preset, default: CellResult()].add(poll, of: hold)
                }
            }
            return results
        }.reduce(into: [:]) { sum, part in sum.merge(part) { $0 + $1 } }
    }

    private static func rollbackPoll(of hold: RecordedHold, by judge: some HoldJudge) -> Int? {
        var judge = judge
        return hold.rollbackPoll(by: &judge)
    }

    private static func promotions(runs: Int) async -> [Double] {
        await Self.parts(of: runs) { $0.compactMap { HealthyRollout.promotion(run: $0) } }.flatMap(\.self)
    }

    /// On every core.
    private static func parts<Result: Sendable>(
        of runs: Int,
        _ body: @escaping @Sendable (Range<Int>) -> Result
    ) async -> [Result] {
        let size = max(1, runs / 8)
        return await withTaskGroup(of: Result.self) { group in
            for begin in stride(from: 0, to: runs, by: size) {
                group.addTask { body(begin..<min(begin + size, runs)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    // MARK: - Printing

    private static func lines(_ cell: Cell, _ results: [JudgePreset: CellResult]) -> String {
        let world = "\(cell.name), \(Int(cell.requestsPerSecond))/s, stable fails \(Figure.text(cell.baseline * 100)) %"
        return JudgePreset.allCases.reduce("# \(world)\n") { text, preset in
            guard let result = results[preset] else { return text }
            let share = "\(Figure.text(100 * result.rolledBack)) % rolled back"
            let time = result.quantile(0.5).map { "median \(Int($0)) s" } ?? "median never"
            let bad = result.badQuantile(0.5).map { ", \(Int($0)) bad answers" } ?? ""
            let name = "\(preset.rawValue)".padded(to: 12)
            return text + "#   \(name)\(share.padded(to: 22))\(cell.isHealthy ? "" : time + bad)\n"
        }
    }

    private static func note(_ text: String) {
        _ = text.utf8CString.withUnsafeBufferPointer { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }
}

/// One line of the output: smaller is better.
struct Figure {
    let name: String
    let value: Double
    let unit: String
    let limit: Double

    init(_ name: String, _ value: Double, _ unit: String, limit: Double) {
        self.name = name
        self.value = value
        self.unit = unit
        self.limit = limit
    }

    var isMet: Bool { self.value <= self.limit }

    var line: String {
        "\(self.name) \(Self.text(self.value))\(self.unit) \(Self.text(self.limit))\(self.unit) "
            + (self.isMet ? "ok" : "SHORT")
    }

    static func text(_ value: Double) -> String {
        guard value.isFinite else { return "inf" }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }
}

import Analysis

/// The plainest use of a dominance test: all is bet at once, on every bound alike, but for those that are no pair.
struct DominanceProcess {
    static let grid = [1.15, 1.4, 2, 4, 12]
    private let test: DominanceTest
    private let isPair: [Bool]
    private var logs: [Double] = []

    init(bounds: [Double], factor: Double = 1, test: AffineTest = DominanceTest.usual) {
        self.test = DominanceTest(bounds: bounds, factor: factor, test: test)
        self.isPair = bounds.map { bound in bounds.contains { $0 >= factor * bound } }
    }

    mutating func add(canary: BinCounts, stable: BinCounts, grid: [Double] = Self.grid) {
        let increments = self.test.logE(canary: canary, stable: stable, grid: grid)
        let kept = increments.indices.filter { self.isPair[$0 / grid.count] }.map { increments[$0] }
        self.logs = self.logs.isEmpty ? kept : zip(self.logs, kept).map { $0 + $1 }
    }

    /// ln E, in nats.
    var logE: Double {
        guard let largest = self.logs.max() else { return 0 }
        let sum = self.logs.reduce(0) { $0 + ($1 - largest).exponential }
        return largest + (sum / Double(self.logs.count)).logarithm
    }
}

import Deployments

/// The answer times of a rehearsal: the bounds that the manifest compares them with, and below the first one, when a
/// gate compares all of them, four more by which the quick fall into equal fifths.
struct RehearsedTimes {
    /// In milliseconds.
    let bounds: [Double]
    /// How many of the bounds tell the quick apart.
    private let fine: Int
    /// Of the canary's quick answers, those that lie in the slowest fifth whatever chance says, or below 0 in the
    /// quickest.
    private let moved: Double

    /// - Parameters:
    ///   - spec: What is rehearsed.
    ///   - metrics: What is assumed of its gates, by their names.
    init(_ spec: DeploymentSpec, metrics: [String: Double]) {
        let gates = spec.rollout.gates + spec.rollout.steps.flatMap { $0.gates ?? [] }
        var bounds: Set<Double> = []
        for case .latency(.some(let bound)) in gates.map(\.kind) { bounds.insert(bound.inSeconds * 1000) }
        for case .latency(let bound) in spec.objectives.map(\.indicator) { bounds.insert(bound.inSeconds * 1000) }
        let sorted = bounds.isEmpty ? [250] : bounds.sorted()
        let ranked = gates.first { if case .slowdown = $0.kind { true } else { false } }
        self.fine = ranked == nil ? 0 : 4
        self.bounds = [16.0, 8, 4, 2].prefix(self.fine).map { sorted[0] / $0 } + sorted
        // From the middle fifth to the last are four tenths of all pairs.
        self.moved = max(-1, min(1, ((ranked.flatMap { metrics[$0.name] } ?? 0.5) - 0.5) / 0.4))
    }

    /// - Returns: How many of so many quick answers are within each bound.
    func within(_ quick: Int, isCanary: Bool, _ dice: inout Dice) -> [Int64] {
        guard self.fine > 0 else { return self.bounds.map { _ in Int64(quick) } }
        var fifths = Array(repeating: 0, count: self.fine + 1)
        let moved = isCanary ? dice.hits(of: quick, probability: abs(self.moved)) : 0
        fifths[self.moved > 0 ? self.fine : 0] = moved
        var left = quick - moved
        for fifth in fifths.indices {
            let hits = dice.hits(of: left, probability: 1 / Double(fifths.count - fifth))
            left -= hits
            fifths[fifth] += hits
        }
        return self.cumulative(fifths.map(Int64.init), quick: Int64(quick))
    }

    /// Stable's answers from before, of which so many were quick.
    func history(quick: Int64, total: Int64) -> LatencyHistogram {
        let fifths = Array(repeating: quick / 5, count: self.fine)
        return LatencyHistogram(bounds: self.bounds, counts: self.cumulative(fifths, quick: quick), total: total)
    }

    private func cumulative(_ fifths: [Int64], quick: Int64) -> [Int64] {
        self.bounds.indices.map { $0 < self.fine ? fifths[...$0].reduce(0, +) : quick }
    }
}

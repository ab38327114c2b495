import Deployments

/// How strongly each kind of bad answer of a stable revision clusters; see ``BurstFactor``.
package struct BurstFactors: Hashable, Codable, Sendable {
    /// φ of 5xx, resets and timeouts; nothing when there were too few to tell, here and below.
    package var errors: Double?
    /// φ of 4xx.
    package var clientErrors: Double?
    /// φ of answers slower than each bound of the router's histogram of which that is known, ascending.
    package var slow: [Slow]
    /// φ of the ranks of all answer times.
    package var ranks: Double?
    /// They rest on half an hour with requests in most of it. Of less, a part of the bursts may not have come yet.
    package var isComplete: Bool

    package struct Slow: Hashable, Codable, Sendable {
        /// In milliseconds.
        package var bound: Double
        package var factor: Double

        package init(bound: Double, factor: Double) {
            self.bound = bound
            self.factor = factor
        }
    }

    package init(
        errors: Double? = nil,
        clientErrors: Double? = nil,
        slow: [Slow] = [],
        ranks: Double? = nil,
        isComplete: Bool = false
    ) {
        self.errors = errors
        self.clientErrors = clientErrors
        self.slow = slow
        self.ranks = ranks
        self.isComplete = isComplete
    }

    /// φ of answers slower than the histogram's bound.
    package func slow(bound: Double) -> Double? {
        self.slow.first { $0.bound == bound }?.factor
    }

    /// Nothing bunches, as far as is known.
    package var isPlain: Bool {
        [self.errors, self.clientErrors, self.ranks].allSatisfy { ($0 ?? 1) <= 1 }
            && self.slow.allSatisfy { $0.factor <= 1 }
    }

    /// What to go by when `earlier` was known before: until half an hour is seen anew, the larger of each. Who knows
    /// less, after a restart or a promotion, must not be the quicker to roll back.
    package func cautious(after earlier: BurstFactors?) -> BurstFactors {
        guard let earlier, !self.isComplete else { return self }
        let bounds = Set(self.slow.map(\.bound) + earlier.slow.map(\.bound)).sorted()
        return BurstFactors(
            errors: Self.larger(self.errors, earlier.errors),
            clientErrors: Self.larger(self.clientErrors, earlier.clientErrors),
            slow: bounds.map { bound in
                let factor = Self.larger(self.slow(bound: bound), earlier.slow(bound: bound)) ?? 1
                return Slow(bound: bound, factor: factor)
            },
            ranks: Self.larger(self.ranks, earlier.ranks)
        )
    }

    private static func larger(_ first: Double?, _ second: Double?) -> Double? {
        [first, second].compactMap(\.self).max()
    }

    /// Whether the two differ by more than estimates of one factor do by chance: half an hour's has a standard
    /// deviation of some 15 percent, and that of a difference is 1.4 times as large.
    package func differs(from other: BurstFactors) -> Bool {
        let differ = { (first: Double?, second: Double?) in
            let ratio = (first ?? 1) / (second ?? 1)
            return ratio > Self.material || ratio < 1 / Self.material
        }
        return differ(self.errors, other.errors) || differ(self.clientErrors, other.clientErrors)
            || differ(self.ranks, other.ranks)
            || (self.slow.map(\.bound) + other.slow.map(\.bound)).contains {
                differ(self.slow(bound: $0), other.slow(bound: $0))
            }
    }

    private static let material = 1.5
}

extension BurstFactors {
    /// The factor of a gate's own bad answers.
    ///
    /// - Parameters:
    ///   - kind: The gate's.
    ///   - bound: For latency gates, in milliseconds.
    ///   - bounds: Of the router's histogram.
    /// - Returns: Nothing when that is not known, and for other gates.
    func factor(of kind: Gate.Kind, bound: Double?, bounds: [Double]) -> Double? {
        switch kind {
        case .errors: self.errors
        case .clientErrors: self.clientErrors
        // A bound between two buckets counts from the lower one.
        case .latency:
            // Before the router was read, those that were known before are the only ones.
            bound.flatMap { bound in (bounds.isEmpty ? self.slow.map(\.bound) : bounds).last { $0 <= bound } }
                .flatMap { self.slow(bound: $0) }
        case .slowdown: self.ranks
        case .threshold, .ratio, .mean, .drift, .webhook, .job, .answers, .preset: nil
        }
    }
}

/// A seeded source of randomness: the same seed throws the same dice on every machine.
///
/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
package struct Dice: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In [0, 1).
    package mutating func fraction() -> Double {
        Double(self.next() >> 11) * 0x1p-53
    }

    package mutating func chance(_ probability: Double) -> Bool {
        self.fraction() < probability
    }

    package mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(self.next() % UInt64(range.count))
    }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[self.pick(0...choices.count - 1)]
    }

    /// How many of `count` independent events of the given probability happen.
    ///
    /// Few expected events are drawn by inversion of the binomial distribution, many from its normal approximation:
    /// one or two throws whatever the count. Only arithmetic that is exact or rounded alike on every machine is used.
    package mutating func hits(of count: Int, probability: Double) -> Int {
        if probability <= 0 || count <= 0 { return 0 }
        if probability >= 1 { return count }
        if probability > 0.5 { return count - self.hits(of: count, probability: 1 - probability) }
        let mean = Double(count) * probability
        return mean < 20
            ? self.fewHits(of: count, probability: probability)
            : self.manyHits(of: count, mean: mean, variance: mean * (1 - probability))
    }

    private mutating func fewHits(of count: Int, probability: Double) -> Int {
        var chance = 1.0
        var (factor, exponent) = (1 - probability, count)
        while exponent > 0 {
            if exponent & 1 == 1 { chance *= factor }
            factor *= factor
            exponent >>= 1
        }
        let odds = probability / (1 - probability)
        var left = self.fraction()
        var hits = 0
        while left >= chance, hits < count {
            left -= chance
            chance *= Double(count - hits) / Double(hits + 1) * odds
            hits += 1
        }
        return hits
    }

    /// The sum of 256 fair coins, smoothed by one even throw, stands for the normal distribution.
    private mutating func manyHits(of count: Int, mean: Double, variance: Double) -> Int {
        let coins = (0..<4).reduce(0) { sum, _ in sum + self.next().nonzeroBitCount }
        let deviations = (Double(coins - 128) + self.fraction() - 0.5) / 8
        let hits = mean + deviations * variance.squareRoot()
        return min(count, max(0, Int(hits.rounded())))
    }
}

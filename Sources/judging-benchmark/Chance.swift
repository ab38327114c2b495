import Glibc

/// SplitMix64: a seed gives the same numbers on every machine.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private mutating func uniform() -> Double { Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self) }

    /// A Poisson number: by its own steps where those are few, by transformed rejection (Hörmann 1993) otherwise.
    mutating func poisson(_ mean: Double) -> Int64 {
        guard mean > 0 else { return 0 }
        return mean < 10 ? self.smallPoisson(mean) : self.largePoisson(mean)
    }

    private mutating func smallPoisson(_ mean: Double) -> Int64 {
        let limit = exp(-mean)
        var (product, count) = (self.uniform(), Int64(0))
        while product > limit {
            product *= self.uniform()
            count += 1
        }
        return count
    }

    private mutating func largePoisson(_ mean: Double) -> Int64 {
        let b = 0.931 + 2.53 * mean.squareRoot()
        let a = -0.059 + 0.02483 * b
        let inverse = 1.1239 + 1.1328 / (b - 3.4)
        let quick = 0.9277 - 3.6224 / (b - 2)
        while true {
            let u = self.uniform() - 0.5
            let v = self.uniform()
            let distance = 0.5 - abs(u)
            let count = ((2 * a / distance + b) * u + mean + 0.43).rounded(.down)
            if distance >= 0.07, v <= quick { return Int64(count) }
            if count < 0 || (distance < 0.013 && v > distance) { continue }
            let accepted = log(v) + log(inverse) - log(a / (distance * distance) + b)
            if accepted <= -mean + count * log(mean) - lgamma(count + 1) { return Int64(count) }
        }
    }
}

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
    package mutating func hits(of count: Int, probability: Double) -> Int {
        if probability <= 0 { return 0 }
        if probability >= 1 { return count }
        var hits = 0
        for _ in 0..<count where self.chance(probability) { hits += 1 }
        return hits
    }
}

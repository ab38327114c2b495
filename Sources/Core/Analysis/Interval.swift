/// A confidence interval of a rate, valid at every time it is read.
package struct Interval: Hashable, Codable, Sendable {
    package var lower: Double
    package var upper: Double

    package init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }
}

import RealModule

/// The Mann-Whitney test of a shift between two samples, with the Hodges-Lehmann estimate, as R's `wilcox.test` and
/// Kayenta compute them: normal approximation, ties averaged, continuity corrected.
///
/// For the preset of that tool. The confidence is of one look.
package enum MannWhitney {
    package struct Shift: Hashable, Sendable {
        package var lower: Double
        package var upper: Double
        package var estimate: Double
    }

    /// - Parameters:
    ///   - sample: At least one value.
    ///   - other: At least one value.
    ///   - confidence: Of the interval, above 0 and below 1.
    /// - Returns: By how much `sample` lies above `other`; nothing when all values are the same.
    package static func shift(_ sample: [Double], from other: [Double], confidence: Double) -> Shift? {
        guard let least = sample.min(), let most = sample.max(), let otherLeast = other.min(),
            let otherMost = other.max(), least < most || otherLeast < otherMost || least != otherLeast
        else { return nil }
        let range = (least - otherMost)...(most - otherLeast)
        let quantile = Normal.quantile((1 - confidence) / 2)
        let deviation = { (shift: Double) in Self.deviation(sample, other, shift: shift) }
        return Shift(
            lower: Self.root(in: range) { deviation($0) + quantile },
            upper: Self.root(in: range) { deviation($0) - quantile },
            estimate: Self.root(in: range, deviation)
        )
    }

    /// How many standard deviations the rank sum of `sample` less `shift` lies above what is expected.
    private static func deviation(_ sample: [Double], _ other: [Double], shift: Double) -> Double {
        let (count, otherCount) = (Double(sample.count), Double(other.count))
        let values = sample.map { ($0 - shift, true) } + other.map { ($0, false) }
        let sorted = values.sorted { $0.0 < $1.0 }
        var (rankSum, ties) = (0.0, 0.0)
        var index = 0
        while index < sorted.count {
            let end = sorted[index...].firstIndex { $0.0 != sorted[index].0 } ?? sorted.count
            let tied = Double(end - index)
            // Ranks count from 1.
            let rank = Double(index) + (tied + 1) / 2
            rankSum += rank * Double(sorted[index..<end].count(where: \.1))
            ties += tied * tied * tied - tied
            index = end
        }
        let excess = rankSum - count * (count + 1) / 2 - count * otherCount / 2
        let total = count + otherCount
        let variance = count * otherCount / 12 * (total + 1 - ties / (total * (total - 1)))
        let correction = excess > 0 ? 0.5 : excess < 0 ? -0.5 : 0
        return variance > 0 ? (excess - correction) / Double.sqrt(variance) : 0
    }

    /// Where a falling function crosses 0; an end of the range when it does not.
    private static func root(in range: ClosedRange<Double>, _ function: (Double) -> Double) -> Double {
        let (lower, upper) = (function(range.lowerBound), function(range.upperBound))
        if lower <= 0 { return range.lowerBound }
        if upper >= 0 { return range.upperBound }
        return BrentRoot.find(from: (range.lowerBound, lower), to: (range.upperBound, upper), function)
    }
}

/// Brent's method for a root between two points of different sign, with R's tolerance of 1e-4: the function above is a
/// staircase, and where exactly on a stair's edge one ends is part of what the tools report.
///
/// Source: Brent, Algorithms for Minimization without Derivatives (1973), chapter 4.
private enum BrentRoot {
    typealias Point = (x: Double, y: Double)

    static let tolerance = 1e-4

    static func find(from first: Point, to second: Point, _ function: (Double) -> Double) -> Double {
        // `best` is the estimate, `before` the one before it, `opposite` has the other sign.
        var (before, best, opposite) = (first, second, first)
        for _ in 0..<1000 {
            let lastStep = best.x - before.x
            if abs(opposite.y) < abs(best.y) { (before, best, opposite) = (best, opposite, best) }
            let least = 2 * Double.ulpOfOne * abs(best.x) + Self.tolerance / 2
            var step = (opposite.x - best.x) / 2
            if abs(step) <= least || best.y == 0 { return best.x }
            if abs(lastStep) >= least, abs(before.y) > abs(best.y),
                let better = Self.interpolated(before, best, opposite, lastStep: lastStep, least: least)
            {
                step = better
            }
            if abs(step) < least { step = step > 0 ? least : -least }
            before = best
            best.x += step
            best.y = function(best.x)
            if (best.y > 0) == (opposite.y > 0), best.y != 0 { opposite = before }
        }
        return best.x
    }

    /// A step by the secant through two points, or the inverse parabola through three, unless it goes too far.
    private static func interpolated(
        _ before: Point,
        _ best: Point,
        _ opposite: Point,
        lastStep: Double,
        least: Double
    ) -> Double? {
        let gap = opposite.x - best.x
        var (numerator, denominator): (Double, Double)
        if before.x == opposite.x {
            let ratio = best.y / before.y
            (numerator, denominator) = (gap * ratio, 1 - ratio)
        } else {
            let (q, r, s) = (before.y / opposite.y, best.y / opposite.y, best.y / before.y)
            numerator = s * (gap * q * (q - r) - (best.x - before.x) * (r - 1))
            denominator = (q - 1) * (r - 1) * (s - 1)
        }
        if numerator > 0 { denominator = -denominator } else { numerator = -numerator }
        let isShort =
            numerator < 0.75 * gap * denominator - abs(least * denominator) / 2
            && numerator < abs(lastStep * denominator / 2)
        return isShort ? numerator / denominator : nil
    }
}

import RealModule

/// `ln(e^a + e^b)`, without overflow; either may be -infinity.
func logAdd(_ a: Double, _ b: Double) -> Double {
    let larger = max(a, b)
    guard larger > -.infinity else { return -.infinity }
    return larger + Double.log(onePlus: Double.exp(min(a, b) - larger))
}

/// `ln(mean of e^x)`, without overflow.
///
/// - Returns: -infinity without values.
func logMean(_ values: [Double]) -> Double {
    guard let largest = values.max(), largest > -.infinity else { return -.infinity }
    let sum = values.reduce(0) { $0 + Double.exp($1 - largest) }
    return largest + Double.log(sum / Double(values.count))
}

/// The logarithm of a weighted mean of e-values, itself an e-value whatever the dependence between them: with
/// weights that sum to at most 1 it is the only admissible way to merge them (Wang 2024, arXiv 2409.19888).
///
/// - Parameters:
///   - logs: `ln e` of each.
///   - weights: Fixed before the data were seen; one per e-value.
/// - Returns: Nats.
package func combinedLogE(_ logs: [Double], weights: [Double]) -> Double {
    zip(logs, weights).reduce(-.infinity) { sum, part in
        part.1 > 0 ? logAdd(sum, part.0 + Double.log(part.1)) : sum
    }
}

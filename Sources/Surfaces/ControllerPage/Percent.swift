import Foundation

/// Shares as people read them: `0.04 %`, `2.1 %`, `31 %`.
enum Percent {
    static func text(_ share: Double) -> String {
        guard share.isFinite else { return "unknown" }
        let percent = share * 100
        let digits = percent == 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : percent >= 0.1 ? 2 : 3
        return percent.formatted(
            .number.precision(.fractionLength(digits)).grouping(.never).locale(Locale(identifier: "en_US_POSIX"))
        ) + " %"
    }
}

import Deployments

/// Numbers as people read them, without locale: two significant digits, `0.034 %`, `12 %`.
package enum NumberText {
    package static func percent(_ share: Double) -> String {
        "\(Self.percentDigits(share)) %"
    }

    static func percentRange(_ interval: Interval) -> String {
        "\(Self.percentDigits(interval.lower)) to \(Self.percentDigits(interval.upper)) %"
    }

    private static func percentDigits(_ share: Double) -> String {
        let percent = share * 100
        // A rate near 100 must not be rounded up to it.
        if percent > 99, percent < 100 { return Self.number(percent, decimals: 2) }
        return Self.number(percent)
    }

    /// Two significant digits, at most three decimals.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        return Self.number(value, decimals: size >= 9.95 ? 0 : size >= 0.995 ? 1 : size >= 0.0995 ? 2 : 3)
    }

    package static func number(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let scale = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        if scaled == 0, value != 0 { return "under \(1 / scale)" }
        let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
        var digits = String(fraction)
        digits = String(repeating: "0", count: max(0, decimals - digits.count)) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return (value < 0 ? "-" : "") + "\(whole)" + (digits.isEmpty ? "" : ".\(digits)")
    }

    /// `8s`, `7m`, `1h20m`: rounded up, coarser the longer it is.
    package static func about(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e8 else { return "ever" }
        let whole = Int(seconds.rounded(.up))
        let grain = whole < 60 ? 1 : whole < 3600 ? 60 : 600
        return Duration.seconds((whole + grain - 1) / grain * grain).short
    }
}

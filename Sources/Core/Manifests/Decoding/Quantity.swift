import Deployments

/// Amounts with units, as Kubernetes writes them.
package enum Quantity {
    private static let durationUnits: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// `1h30m`: whole numbers with units, the larger unit first. Only zero may go without a unit.
    package static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text.utf8[...]
        var units = Self.durationUnits[...]
        var milliseconds: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            var (count, digits): (Int64, Int) = (0, 0)
            while let byte = rest.first, byte.isDecimalDigit {
                // Nine digits of days are 10^17 ms: no sum of five parts overflows.
                guard digits < 9 else { return nil }
                (count, digits) = (10 * count + Int64(byte - UInt8(ascii: "0")), digits + 1)
                rest.removeFirst()
            }
            let name = rest.prefix { !$0.isDecimalDigit }
            rest = rest[name.endIndex...]
            guard digits > 0, let index = units.firstIndex(where: { $0.name.utf8.elementsEqual(name) }) else {
                return nil
            }
            milliseconds += count * units[index].milliseconds
            units = units[(index + 1)...]
        }
        return .milliseconds(milliseconds)
    }

    /// The duration as authors write it, without loss.
    package static func text(_ duration: Duration) -> String {
        var rest = duration.wholeMilliseconds
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in Self.durationUnits where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }

    /// `2Gi`, `1.5G`, `1024`.
    package static func bytes(_ text: String) -> Int64? {
        let units: [(name: String, factor: Int64)] = [
            ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40),
            ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
        ]
        for unit in units where text.hasSuffix(unit.name) {
            return Self.decimal(text.dropLast(unit.name.count), times: unit.factor)
        }
        return Self.decimal(text[...], times: 1)
    }

    /// Thousandths: `500m`, `0.5`, `2`.
    package static func milli(_ text: String) -> Int64? {
        text.hasSuffix("m") ? Self.decimal(text.dropLast(), times: 1) : Self.decimal(text[...], times: 1000)
    }

    static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(\.isDecimalDigit)
    }

    /// A decimal number times a factor, when that is a whole number.
    private static func decimal(_ text: Substring, times factor: Int64) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy(Self.isDigits), let whole = Int64(parts[0]) else {
            return nil
        }
        let product = whole.multipliedReportingOverflow(by: factor)
        guard !product.overflow else { return nil }
        guard parts.count == 2 else { return product.partialValue }
        guard parts[1].count <= 6, let digits = Int64(parts[1]) else { return nil }
        let scale = (0..<parts[1].count).reduce(Int64(1)) { scale, _ in scale * 10 }
        let fraction = digits.multipliedReportingOverflow(by: factor)
        guard !fraction.overflow, fraction.partialValue % scale == 0 else { return nil }
        let sum = product.partialValue.addingReportingOverflow(fraction.partialValue / scale)
        return sum.overflow ? nil : sum.partialValue
    }
}

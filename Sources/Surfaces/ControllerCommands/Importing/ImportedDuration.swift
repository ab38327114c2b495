/// Times as Kubernetes' tools write them.
enum ImportedDuration {
    private static let units: [String: Double] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]

    /// The longest that a manifest may say.
    static let longest: Duration = .seconds(30 * 86_400)

    /// Go's form, `1h30m` or `1.5h`, or a number of seconds; nothing beyond 30 days.
    static func parse(_ text: String) -> Duration? {
        if let seconds = Int(text) { return Self.checked(milliseconds: Double(seconds) * 1000) }
        var (rest, sum) = (text[...], 0.0)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let count = Double(digits), let unit = Self.units[String(name)] else { return nil }
            sum += count * unit
        }
        return Self.checked(milliseconds: sum)
    }

    private static func checked(milliseconds: Double) -> Duration? {
        let longest = Self.longest / .milliseconds(1)
        guard milliseconds >= 0, milliseconds <= longest else { return nil }
        return .milliseconds(Int64(milliseconds.rounded()))
    }
}

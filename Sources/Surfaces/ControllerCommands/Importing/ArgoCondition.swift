/// A condition on a measurement, as far as limits can say it: `result[0] >= 0.95 && result[0] < 1.2`.
struct ArgoCondition: Hashable {
    var minimum: Double?
    var maximum: Double?
    /// A limit itself was not within, which ours is.
    var isStrict = false
    /// Parts beside the limits that say what counts without an answer.
    var emptyAnswers: [String] = []

    /// - Returns: Nothing when it is another expression.
    static func parse(_ text: String) -> ArgoCondition? {
        var condition = ArgoCondition()
        var comparison: Substring?
        for part in text.split(separator: "||").map(Self.trimmed) {
            if part.contains(/^(?:len\(result\) *(?:==|<|<=) *[01]|result *== *nil|isNaN\(.*\)|isInf\(.*\))$/) {
                condition.emptyAnswers.append(String(part))
            } else if comparison == nil {
                comparison = part
            } else {
                return nil
            }
        }
        for part in (comparison ?? "").split(separator: "&&").map(Self.trimmed) {
            if part.contains(/^(?:!isNaN\(.*\)|!isInf\(.*\)|len\(result\) *(?:>|!=|>=) *[01]|result *!= *nil)$/) {
                condition.emptyAnswers.append(String(part))
                continue
            }
            guard condition.add(part) else { return nil }
        }
        return condition.minimum == nil && condition.maximum == nil ? nil : condition
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\n" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\n" { text.removeLast() }
        return text
    }

    private mutating func add(_ comparison: Substring) -> Bool {
        let form =
            /^(?:asFloat\()?\(?result(?:\[0\])?\)? *(>=|<=|==|>|<) *(-?[0-9]+(?:\.[0-9]+)?)$/
        guard let match = comparison.wholeMatch(of: form), let limit = Double(match.2) else { return false }
        switch match.1 {
        case ">", ">=": self.minimum = max(limit, self.minimum ?? limit)
        case "<", "<=": self.maximum = min(limit, self.maximum ?? limit)
        default: (self.minimum, self.maximum) = (limit, limit)
        }
        if match.1 == ">" || match.1 == "<" { self.isStrict = true }
        return true
    }

    /// The limits within which it does not hold; nothing when these are two ranges.
    var negated: ArgoCondition? {
        var other = self
        switch (self.minimum, self.maximum) {
        case (let minimum?, nil): (other.minimum, other.maximum) = (nil, minimum)
        case (nil, let maximum?): (other.minimum, other.maximum) = (maximum, nil)
        default: return nil
        }
        other.isStrict = !self.isStrict
        return other
    }

    /// A number as manifests have it: whole ones without a point.
    static func text(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    var limits: [ManifestNode.Member] {
        [
            self.minimum.map { .init("min", .plain(Self.text($0))) },
            self.maximum.map { .init("max", .plain(Self.text($0))) },
        ].compactMap(\.self)
    }
}

extension Field {
    /// A text. What other tools would read as a number, a boolean or nothing must stand in quotes.
    /// The limit is in bytes of UTF-8. Line ends and tabs are allowed in multi-line texts, other control characters
    /// never.
    package func string(limit: Int = 1024, isMultiline: Bool = false) -> String? {
        guard case .scalar(let scalar) = self.node.content else {
            self.expected("a text")
            return nil
        }
        switch scalar.meaning {
        case .null:
            self.expected("a text")
            return nil
        case .boolean, .number:
            let quoted = "\"\(scalar.text.printable(limit: 60))\""
            self.error("expected a text, found \(scalar.text.inBackticks) without quotes: write \(quoted)")
            return nil
        case .string: break
        }
        guard scalar.text.utf8.count <= limit else {
            self.error("the text has \(scalar.text.utf8.count) bytes, at most \(limit) are allowed")
            return nil
        }
        if scalar.text.hasOnly({ $0 &- 0x20 < 0x5F }) { return scalar.text }
        let allowed: [Unicode.Scalar] = isMultiline ? ["\n", "\t"] : []
        let strange = scalar.text.unicodeScalars.first {
            $0.properties.generalCategory == .control && !allowed.contains($0)
        }
        if let strange {
            let code = String(strange.value, radix: 16)
            self.error("the text holds a control character (\\u{\(code)}): remove it")
            return nil
        }
        return scalar.text
    }

    /// A text of a certain form.
    package func string(limit: Int = 1024, form: String, where isValid: (String) -> Bool) -> String? {
        guard let text = self.string(limit: limit) else { return nil }
        guard isValid(text) else {
            self.expected(form)
            return nil
        }
        return text
    }

    package func integer(in range: ClosedRange<Int>) -> Int? {
        guard let text = self.plainNumber, let number = Int(text), range.contains(number) else {
            self.expected("a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A number, without exponent limits but finite.
    package func number() -> Double? {
        guard let text = self.plainNumber, let number = Double(text), number.isFinite else {
            self.expected("a number")
            return nil
        }
        return number
    }

    package func number(in range: ClosedRange<Double>) -> Double? {
        guard let text = self.plainNumber, let number = Double(text), range.contains(number) else {
            self.expected("a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
            return nil
        }
        return number
    }

    private static func text(_ bound: Double) -> String {
        Int(exactly: bound).map { "\($0)" } ?? "\(bound)"
    }

    package func boolean() -> Bool? {
        guard case .scalar(let scalar) = self.node.content, case .boolean(let value) = scalar.meaning else {
            self.expected("`true` or `false`")
            return nil
        }
        return value
    }

    /// One of the names of an enumeration.
    package func choice<Value: RawRepresentable<String> & CaseIterable>(
        of type: Value.Type,
        unavailable: [String: String] = [:]
    ) -> Value? {
        guard let text = self.string() else { return nil }
        if let value = Value(rawValue: text) { return value }
        if let instead = unavailable[text] {
            self.error("\(text.inBackticks) is not available in this version: \(instead)")
        } else {
            let hint = NearestName.hint(for: text, among: Value.allCases.map(\.rawValue))
            self.error("unknown value \(text.inBackticks): \(hint)")
        }
        return nil
    }

    private var plainNumber: String? {
        guard case .scalar(let scalar) = self.node.content, scalar.meaning == .number else { return nil }
        return scalar.text
    }
}

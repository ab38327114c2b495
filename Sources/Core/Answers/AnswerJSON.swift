/// JSON as a model server wrote it: numbers keep their digits, texts their bytes.
///
/// `NaN`, `Infinity` and `-Infinity` count as numbers, since Python's servers write them. Two members of one name have
/// no meaning, so that is not JSON here.
indirect enum AnswerJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    /// UTF-8 without its escapes. Not a `String`: two of those are equal also when only their look is.
    case text([UInt8])
    case list([AnswerJSON])
    case object([[UInt8]: AnswerJSON])

    /// Deeper than any answer, and not deep enough for a stack to overflow.
    static let maximumDepth = 64
    /// So that a megabyte of `[[],[],…` cannot become a hundred of memory; twice the numbers that fit a megabyte of
    /// usual scores.
    static let maximumValues = 200_000

    /// - Returns: Nothing when the bytes are not JSON, or beyond these limits.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let value = reader.document() else { return nil }
        self = value
    }
}

extension AnswerJSON {
    private struct Reader {
        let bytes: [UInt8]
        var offset = 0
        var values = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        var peek: UInt8? { self.offset < self.bytes.count ? self.bytes[self.offset] : nil }

        mutating func document() -> AnswerJSON? {
            guard let value = self.value(depth: 1) else { return nil }
            self.skipSpace()
            return self.offset == self.bytes.count ? value : nil
        }

        private mutating func skipSpace() {
            while let byte = self.peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                self.offset += 1
            }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard self.peek == UInt8(ascii: scalar) else { return false }
            self.offset += 1
            return true
        }

        private mutating func take(word: StaticString) -> Bool {
            let end = self.offset + word.utf8CodeUnitCount
            guard end <= self.bytes.count else { return false }
            let isThere = word.withUTF8Buffer { $0.elementsEqual(self.bytes[self.offset..<end]) }
            if isThere { self.offset = end }
            return isThere
        }

        private mutating func value(depth: Int) -> AnswerJSON? {
            self.values += 1
            guard depth <= AnswerJSON.maximumDepth, self.values <= AnswerJSON.maximumValues else { return nil }
            self.skipSpace()
            switch self.peek {
            case UInt8(ascii: "{"): return self.object(depth: depth)
            case UInt8(ascii: "["): return self.list(depth: depth)
            case UInt8(ascii: "\""): return self.text().map(AnswerJSON.text)
            case UInt8(ascii: "t"): return self.take(word: "true") ? .bool(true) : nil
            case UInt8(ascii: "f"): return self.take(word: "false") ? .bool(false) : nil
            case UInt8(ascii: "n"): return self.take(word: "null") ? .null : nil
            default: return self.number()
            }
        }

        private mutating func object(depth: Int) -> AnswerJSON? {
            self.offset += 1
            self.skipSpace()
            var members: [[UInt8]: AnswerJSON] = [:]
            if self.take("}") { return .object(members) }
            while true {
                self.skipSpace()
                guard self.peek == UInt8(ascii: "\""), let name = self.text() else { return nil }
                self.skipSpace()
                guard self.take(":"), let value = self.value(depth: depth + 1),
                    members.updateValue(value, forKey: name) == nil
                else { return nil }
                self.skipSpace()
                if self.take("}") { return .object(members) }
                guard self.take(",") else { return nil }
            }
        }

        private mutating func list(depth: Int) -> AnswerJSON? {
            self.offset += 1
            self.skipSpace()
            var elements: [AnswerJSON] = []
            if self.take("]") { return .list(elements) }
            while true {
                guard let value = self.value(depth: depth + 1) else { return nil }
                elements.append(value)
                self.skipSpace()
                if self.take("]") { return .list(elements) }
                guard self.take(",") else { return nil }
            }
        }

        private mutating func number() -> AnswerJSON? {
            let start = self.offset
            for word: StaticString in ["NaN", "Infinity", "-Infinity"] where self.take(word: word) {
                return .number(word.description)
            }
            _ = self.take("-")
            if !self.take("0") { guard self.digits() else { return nil } }
            if self.take(".") { guard self.digits() else { return nil } }
            if self.take("e") || self.take("E") {
                if !self.take("+") { _ = self.take("-") }
                guard self.digits() else { return nil }
            }
            return .number(String(decoding: self.bytes[start..<self.offset], as: UTF8.self))
        }

        private mutating func digits() -> Bool {
            let start = self.offset
            while let byte = self.peek, (0x30...0x39).contains(byte) { self.offset += 1 }
            return self.offset > start
        }

        private mutating func text() -> [UInt8]? {
            self.offset += 1
            var text: [UInt8] = []
            while let byte = self.peek {
                self.offset += 1
                switch byte {
                case UInt8(ascii: "\""): return text
                case UInt8(ascii: "\\"): guard self.escape(into: &text) else { return nil }
                case 0..<0x20: return nil
                default: text.append(byte)
                }
            }
            return nil
        }

        private mutating func escape(into text: inout [UInt8]) -> Bool {
            guard let byte = self.peek else { return false }
            self.offset += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"): return self.unicode(into: &text)
            default: return false
            }
            return true
        }

        /// A half of a pair alone keeps its three bytes, so that it equals nothing but itself.
        private mutating func unicode(into text: inout [UInt8]) -> Bool {
            guard var code = self.hexadecimal() else { return false }
            let before = self.offset
            if (0xD800..<0xDC00).contains(code), self.take("\\"), self.take("u"), let low = self.hexadecimal(),
                (0xDC00..<0xE000).contains(low)
            {
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            } else {
                self.offset = before
            }
            switch code {
            case 0..<0x80: text.append(UInt8(code))
            case 0x80..<0x800: text += [UInt8(0xC0 | code >> 6), UInt8(0x80 | code & 0x3F)]
            case 0x800..<0x10000:
                text += [UInt8(0xE0 | code >> 12), UInt8(0x80 | code >> 6 & 0x3F), UInt8(0x80 | code & 0x3F)]
            default:
                text += [
                    UInt8(0xF0 | code >> 18), UInt8(0x80 | code >> 12 & 0x3F), UInt8(0x80 | code >> 6 & 0x3F),
                    UInt8(0x80 | code & 0x3F),
                ]
            }
            return true
        }

        private mutating func hexadecimal() -> UInt32? {
            guard self.offset + 4 <= self.bytes.count else { return nil }
            let digits = self.bytes[self.offset..<self.offset + 4]
            guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
            self.offset += 4
            return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        }
    }
}

extension AnswerJSON {
    /// For people: short, and not for machines. Stops soon after what is ever shown.
    var shown: String {
        var text = ""
        self.write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        guard text.utf8.count < 400 else { return }
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let number): text += number
        case .text(let bytes): text += "\"\(String(decoding: bytes.prefix(400), as: UTF8.self))\""
        case .list(let elements):
            text += "["
            for (index, element) in elements.prefix(100).enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            let names = members.keys.sorted { $0.lexicographicallyPrecedes($1) }.prefix(100)
            for (index, name) in names.enumerated() {
                if index > 0 { text += "," }
                text += "\"\(String(decoding: name.prefix(400), as: UTF8.self))\":"
                members[name]?.write(to: &text)
            }
            text += "}"
        }
    }
}

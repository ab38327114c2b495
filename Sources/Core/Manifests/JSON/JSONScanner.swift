/// Checks that bytes are one JSON value (RFC 8259) and says where the members of an object lie.
///
/// It builds no tree: what goes to a model server must stay the text that its author wrote, with every digit.
struct JSONScanner {
    /// A member of the outermost object.
    struct Member {
        var key: String
        /// Offset of the key.
        var offset: Int
        /// Where the value's text lies.
        var value: Range<Int>
    }

    struct Problem: Error {
        /// Offset of the byte where the text stops being JSON.
        var offset: Int
        var message: String
    }

    private static let maximumDepth = 64

    private let bytes: ArraySlice<UInt8>
    private var offset: Int

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.offset = bytes.startIndex
    }

    /// The members of the object that `bytes`, valid UTF-8, consist of. Offsets are indices of `bytes`.
    static func members(of bytes: ArraySlice<UInt8>) throws(Problem) -> [Member] {
        var scanner = JSONScanner(bytes)
        scanner.skipSpace()
        guard scanner.peek == UInt8(ascii: "{") else { throw scanner.problem("expected an object, { … }") }
        var members: [Member] = []
        try scanner.object(depth: 1) { member in members.append(member) }
        scanner.skipSpace()
        guard scanner.peek == nil else { throw scanner.problem("expected nothing after the object") }
        return members
    }

    private var peek: UInt8? {
        self.offset < self.bytes.endIndex ? self.bytes[self.offset] : nil
    }

    private func problem(_ message: String) -> Problem {
        Problem(offset: self.offset, message: message)
    }

    private mutating func skipSpace() {
        while let byte = self.peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { self.offset += 1 }
    }

    private mutating func skip(_ byte: Unicode.Scalar, _ expectation: String) throws(Problem) {
        guard self.peek == UInt8(ascii: byte) else { throw self.problem("expected \(expectation)") }
        self.offset += 1
    }

    private mutating func value(depth: Int) throws(Problem) {
        guard depth <= Self.maximumDepth else {
            throw self.problem("lists and objects may nest at most \(Self.maximumDepth) deep")
        }
        guard let byte = self.peek else { throw self.problem("expected a value") }
        switch byte {
        case UInt8(ascii: "{"): try self.object(depth: depth) { _ in }
        case UInt8(ascii: "["): try self.array(depth: depth)
        case UInt8(ascii: "\""): try self.string()
        case UInt8(ascii: "t"): try self.word("true")
        case UInt8(ascii: "f"): try self.word("false")
        case UInt8(ascii: "n"): try self.word("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try self.number()
        default: throw self.problem("expected a value")
        }
    }

    private mutating func object(depth: Int, _ visit: (Member) -> Void) throws(Problem) {
        try self.skip("{", "an object")
        self.skipSpace()
        if self.peek == UInt8(ascii: "}") {
            self.offset += 1
            return
        }
        while true {
            self.skipSpace()
            let key = self.offset
            guard self.peek == UInt8(ascii: "\"") else { throw self.problem("expected a name in quotes") }
            try self.string()
            let name = String(decoding: self.bytes[key + 1..<self.offset - 1], as: UTF8.self)
            self.skipSpace()
            try self.skip(":", "a colon")
            self.skipSpace()
            let start = self.offset
            try self.value(depth: depth + 1)
            visit(Member(key: name, offset: key, value: start..<self.offset))
            self.skipSpace()
            if self.peek == UInt8(ascii: "}") {
                self.offset += 1
                return
            }
            try self.skip(",", "a comma or }")
        }
    }

    private mutating func array(depth: Int) throws(Problem) {
        try self.skip("[", "a list")
        self.skipSpace()
        if self.peek == UInt8(ascii: "]") {
            self.offset += 1
            return
        }
        while true {
            self.skipSpace()
            try self.value(depth: depth + 1)
            self.skipSpace()
            if self.peek == UInt8(ascii: "]") {
                self.offset += 1
                return
            }
            try self.skip(",", "a comma or ]")
        }
    }

    private mutating func string() throws(Problem) {
        try self.skip("\"", "a string")
        while let byte = self.peek {
            switch byte {
            case UInt8(ascii: "\""):
                self.offset += 1
                return
            case UInt8(ascii: "\\"):
                self.offset += 1
                try self.escape()
            case 0x00...0x1F: throw self.problem("a control character needs an escape, such as \\n")
            default: self.offset += 1
            }
        }
        throw self.problem("the closing quote is missing")
    }

    private mutating func escape() throws(Problem) {
        guard let byte = self.peek, "\"\\/bfnrtu".utf8.contains(byte) else {
            throw self.problem("expected one of \" \\ / b f n r t u after a backslash")
        }
        self.offset += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = self.peek, Character(Unicode.Scalar(digit)).isHexDigit, digit < 0x80 else {
                throw self.problem("expected four hexadecimal digits after \\u")
            }
            self.offset += 1
        }
    }

    private mutating func word(_ word: String) throws(Problem) {
        guard self.bytes[self.offset...].starts(with: word.utf8) else { throw self.problem("expected \(word)") }
        self.offset += word.utf8.count
    }

    private mutating func number() throws(Problem) {
        if self.peek == UInt8(ascii: "-") { self.offset += 1 }
        if self.peek == UInt8(ascii: "0") {
            self.offset += 1
        } else {
            try self.digits()
        }
        if self.peek == UInt8(ascii: ".") {
            self.offset += 1
            try self.digits()
        }
        if self.peek == UInt8(ascii: "e") || self.peek == UInt8(ascii: "E") {
            self.offset += 1
            if self.peek == UInt8(ascii: "+") || self.peek == UInt8(ascii: "-") { self.offset += 1 }
            try self.digits()
        }
    }

    private mutating func digits() throws(Problem) {
        let start = self.offset
        while let byte = self.peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { self.offset += 1 }
        guard self.offset > start else { throw self.problem("expected a digit") }
    }
}

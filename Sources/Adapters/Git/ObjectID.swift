import CLibgit2

/// The SHA-1 name of an object, small enough to hold millions of them.
struct ObjectID: Hashable {
    private let words: (UInt64, UInt64, UInt32)

    init(_ raw: git_oid) {
        self.words = withUnsafeBytes(of: raw) { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            )
        }
    }

    /// Nothing when `text` is not 40 lower-case hexadecimal digits.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 40, text.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else { return nil }
        var raw = git_oid()
        guard git_oid_fromstr(&raw, String(text)) == 0 else { return nil }
        self.init(raw)
    }

    var raw: git_oid {
        var raw = git_oid()
        withUnsafeMutableBytes(of: &raw) { bytes in
            bytes.storeBytes(of: self.words.0, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: self.words.1, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: self.words.2, toByteOffset: 16, as: UInt32.self)
        }
        return raw
    }

    /// 40 lower-case hexadecimal digits.
    var text: String {
        withUnsafeBytes(of: self.raw) { bytes in
            String(unsafeUninitializedCapacity: 2 * bytes.count) { text in
                for (index, byte) in bytes.enumerated() {
                    text[2 * index] = Self.digit(byte >> 4)
                    text[2 * index + 1] = Self.digit(byte & 15)
                }
                return 2 * bytes.count
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    static func == (left: ObjectID, right: ObjectID) -> Bool {
        left.words == right.words
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
    }
}

package import Foundation

/// What a replica wrote, and how much of it.
package struct LogStatus: Codable, Hashable, Sendable {
    /// The revision's short digest and the ordinal: `3f2a91c0de-0`.
    package var replica: String
    /// Bytes.
    package var size: Int64
    package var modified: Date
    /// Whether the replica is there still.
    package var isCurrent: Bool

    package init(replica: String, size: Int64, modified: Date, isCurrent: Bool) {
        self.replica = replica
        self.size = size
        self.modified = modified
        self.isCurrent = isCurrent
    }
}

/// A part of what a replica wrote.
package struct LogPiece: Codable, Hashable, Sendable {
    package var replica: String
    /// The place of its first byte. Less than what was asked for when the log was cut meanwhile.
    package var offset: Int64
    /// Where to go on.
    package var next: Int64
    /// What is no UTF-8 is replaced.
    package var text: String

    /// How many bytes at the end are the beginning of a UTF-8 character only.
    package static func unfinished(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let byte = bytes[bytes.count - count]
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > count ? count : 0
        }
        return 0
    }

    package init(replica: String, offset: Int64, next: Int64, text: String) {
        self.replica = replica
        self.offset = offset
        self.next = next
        self.text = text
    }
}

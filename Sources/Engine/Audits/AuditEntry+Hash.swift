import Crypto

extension AuditEntry {
    /// The SHA-256 of what is stored: `controller-audit-1`, then each value in the order of the properties, the
    /// previous hash last. Nothing is a byte 0; a number a byte 1 and eight bytes; a text a byte 2, its length in eight
    /// bytes, and its UTF-8. Numbers are big-endian.
    package var expectedHash: String {
        var bytes = Array("controller-audit-1".utf8)
        bytes.reserveCapacity(1024)
        Self.write(self.number, to: &bytes)
        Self.write(self.time, to: &bytes)
        Self.write(self.written, to: &bytes)
        for text in [
            self.stage, self.request, self.name, self.way, self.credential, self.address, self.action,
            self.deployment, self.why, self.parameters,
        ] {
            Self.write(text, to: &bytes)
        }
        Self.write(self.accepted, to: &bytes)
        Self.write(self.changed, to: &bytes)
        for text in [self.message, self.before, self.after, self.previous] { Self.write(text, to: &bytes) }
        var hash = ""
        for byte in SHA256.hash(data: bytes) {
            hash.unicodeScalars.append(Self.digits[Int(byte >> 4)])
            hash.unicodeScalars.append(Self.digits[Int(byte & 15)])
        }
        return hash
    }

    private static let digits = Array("0123456789abcdef".unicodeScalars)

    private static func write(_ number: Int64?, to bytes: inout [UInt8]) {
        guard let number else { return bytes.append(0) }
        bytes.append(1)
        Self.append(UInt64(bitPattern: number), to: &bytes)
    }

    private static func write(_ text: String?, to bytes: inout [UInt8]) {
        guard let text else { return bytes.append(0) }
        bytes.append(2)
        Self.append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

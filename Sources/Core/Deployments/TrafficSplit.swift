/// How requests were split when one was answered, in eight hexadecimal digits: the same for the same weights and
/// matches of the same revisions, whatever the time.
///
/// Among requests of one split it is settled by lot who answers. So what becomes of them later may be compared between
/// the revisions, however late it is known and however the requests change from hour to hour; what becomes of requests
/// of different splits may not (Rosenbaum & Rubin 1983, "The central role of the propensity score").
package struct TrafficSplit: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    package let digits: String

    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 8, text.utf8.allSatisfy(\.isLowerHexadecimal) else { return nil }
        self.digits = String(text)
    }

    /// Of FNV-1a's 64 bits the half that is mixed best. Two splits of one rollout have the same with a chance of one in
    /// four thousand millions; their requests are then compared as one's.
    fileprivate init(of text: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(UInt32(truncatingIfNeeded: hash >> 32), radix: 16)
        self.digits = String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    package var description: String { self.digits }

    package static func < (left: TrafficSplit, right: TrafficSplit) -> Bool { left.digits < right.digits }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let split = TrafficSplit(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a split of traffic: \(text)")
            )
        }
        self = split
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.digits)
    }
}

extension Traffic {
    /// Copies of requests change nothing of who answers.
    package var split: TrafficSplit {
        var answering = self
        answering.mirror = nil
        return TrafficSplit(of: answering.filter { _ in true }.description)
    }
}

extension UInt8 {
    var isLowerHexadecimal: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}

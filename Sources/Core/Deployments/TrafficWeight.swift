/// A share of a deployment's traffic in whole percent, 0 to 100.
package struct TrafficWeight: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    package let percent: Int

    package static let none = TrafficWeight(percent: 0)
    package static let all = TrafficWeight(percent: 100)

    package init(percent: Int) {
        precondition((0...100).contains(percent), "A weight is a percentage, not \(percent)")
        self.percent = percent
    }

    package init(from decoder: any Decoder) throws {
        let percent = try decoder.singleValueContainer().decode(Int.self)
        guard (0...100).contains(percent) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a percentage: \(percent)")
            )
        }
        self.percent = percent
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.percent)
    }

    package var complement: TrafficWeight {
        TrafficWeight(percent: 100 - self.percent)
    }

    package var description: String { "\(self.percent) %" }

    package static func < (left: TrafficWeight, right: TrafficWeight) -> Bool {
        left.percent < right.percent
    }
}

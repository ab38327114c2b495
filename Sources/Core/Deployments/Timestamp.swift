/// A point in time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The core never reads a clock; whoever calls it passes the time in.
///
/// Public, as ``Reading`` is.
public struct Timestamp: Hashable, Comparable, Codable, Sendable {
    public var milliseconds: Int64

    @inlinable public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Later than all other times.
    package static let endOfTime = Timestamp(milliseconds: .max)

    public init(from decoder: any Decoder) throws {
        self.milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.milliseconds)
    }

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    package static func + (time: Timestamp, interval: Duration) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds + interval.wholeMilliseconds)
    }

    @inlinable public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }
}

extension Duration {
    package static func minutes(_ count: Int) -> Duration {
        .seconds(60 * count)
    }

    package static func hours(_ count: Int) -> Duration {
        .seconds(3600 * count)
    }

    /// Rounded towards zero.
    package var wholeMilliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }

    package var inSeconds: Double {
        Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18
    }

    /// As users write it in manifests: `1h30m`, `45s`, `250ms`.
    package var short: String {
        let total = self.wholeMilliseconds
        if total < 0 { return "-" + Duration.milliseconds(-total).short }
        if total == 0 { return "0s" }
        if total < 1000 { return "\(total)ms" }
        let (hours, minutes, seconds) = (total / 3_600_000, total / 60_000 % 60, total / 1000 % 60)
        var text = ""
        if hours > 0 { text += "\(hours)h" }
        if minutes > 0 { text += "\(minutes)m" }
        if seconds > 0 { text += "\(seconds)s" }
        return text
    }
}

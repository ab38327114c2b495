package import Foundation

/// Times and spans of time as people read them. Clock times are UTC and end in `Z`.
package enum TimeText {
    /// The two most significant units: `42s`, `4m12s`, `3h5m`, `2d7h`.
    package static func span(_ seconds: TimeInterval) -> String {
        let total = Int(max(0, min(seconds, 1e10)).rounded(.down))
        let (days, hours, minutes) = (total / 86_400, total / 3600 % 24, total / 60 % 60)
        return switch total {
        case ..<60: "\(total)s"
        case ..<3600: Self.pair(minutes, "m", total % 60, "s")
        case ..<86_400: Self.pair(hours, "h", minutes, "m")
        default: Self.pair(days, "d", hours, "h")
        }
    }

    /// How long ago: one unit once that is precise enough for a table: `42s`, `4m12s`, `42m`, `5h12m`, `3d`.
    package static func age(of date: Date, now: Date) -> String {
        let seconds = now.timeIntervalSince(date)
        return switch seconds {
        case ..<600: Self.span(seconds)
        case ..<3600: "\(Int(seconds) / 60)m"
        case ..<172_800: Self.span(seconds)
        default: "\(Int(min(seconds, 1e10)) / 86_400)d"
        }
    }

    /// `14:29:06Z` on the day of `now`, otherwise `2026-11-22 14:29:06Z`.
    package static func clock(_ date: Date, now: Date) -> String {
        let (text, today) = (date.formatted(.iso8601), now.formatted(.iso8601))
        return text.prefix(10) == today.prefix(10)
            ? String(text.dropFirst(11)) : text.replacing("T", with: " ", maxReplacements: 1)
    }

    /// `in 26m (14:59:00Z)`, or `overdue since 14:59:00Z`.
    package static func until(_ date: Date, now: Date) -> String {
        let left = date.timeIntervalSince(now)
        return left > 0
            ? "in \(Self.span(left)) (\(Self.clock(date, now: now)))" : "overdue since \(Self.clock(date, now: now))"
    }

    private static func pair(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String) -> String {
        "\(large)\(unit)" + (small > 0 ? "\(small)\(smallUnit)" : "")
    }
}

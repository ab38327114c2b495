/// The Gregorian calendar in UTC, without time zones' rules. After Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", section `days_from_civil`.
package struct CalendarDay: Hashable, Comparable, Sendable {
    package var year: Int
    /// 1 to 12.
    package var month: Int
    /// 1 to 31.
    package var day: Int

    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// - Parameter days: Since 1970-01-01.
    package init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Years begin in March here, so that the leap day is the last.
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    package var daysSince1970: Int {
        let year = self.month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (self.month > 2 ? self.month - 3 : self.month + 9) + 2) / 5 + self.day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Whether the calendar has it.
    package var exists: Bool { CalendarDay(daysSince1970: self.daysSince1970) == self }

    /// 0 is Sunday. 1970-01-01 was a Thursday.
    package static func weekday(ofDay days: Int) -> Int { ((days + 4) % 7 + 7) % 7 }

    package static func < (left: CalendarDay, right: CalendarDay) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

extension Timestamp {
    /// `2026-11-27T00:00:00Z`, or with an offset such as `+01:00`. RFC 3339 without fractions of seconds.
    ///
    /// - Returns: Nothing for any other text, or a day that does not exist.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || bytes.count == 25 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].allSatisfy { (0x30...0x39).contains($0) }
                ? bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 } : nil
        }
        let marks: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard marks.allSatisfy({ bytes[$0.0] == $0.1.asciiValue }), let year = number(0..<4),
            let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), hour < 24, minute < 60, second < 60,
            let offset = UTCOffset(String(decoding: bytes[19...], as: UTF8.self))
        else { return nil }
        let date = CalendarDay(year: year, month: month, day: day)
        guard date.exists else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset.minutes * 60
        self.init(milliseconds: Int64(seconds) * 1000)
    }

    /// `2026-11-27T00:00:00Z`; fractions of a second are cut off.
    package var utc: String {
        let seconds = Int((self.milliseconds >= 0 ? self.milliseconds : self.milliseconds - 999) / 1000)
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let (date, rest) = (CalendarDay(daysSince1970: days), seconds - days * 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
        let year = String(repeating: "0", count: max(0, 4 - "\(date.year)".count)) + "\(date.year)"
        return "\(year)-\(two(date.month))-\(two(date.day))T\(time)Z"
    }
}

/// How far a place's clocks are from UTC, the same all year.
package struct UTCOffset: Hashable, Codable, Sendable {
    package var minutes: Int

    package static let utc = UTCOffset(minutes: 0)

    package init(minutes: Int) {
        self.minutes = minutes
    }

    /// `Z`, `UTC`, `+01:00`, `-03:30`.
    package init?(_ text: String) {
        if text == "Z" || text == "UTC" {
            self.init(minutes: 0)
            return
        }
        let bytes = Array(text.utf8)
        let digits = [1, 2, 4, 5]
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A,
            digits.allSatisfy({ (0x30...0x39).contains(bytes[$0]) })
        else { return nil }
        let values = digits.map { Int(bytes[$0]) - 0x30 }
        let (hours, minutes) = (values[0] * 10 + values[1], values[2] * 10 + values[3])
        // The largest that any place has is +14:00.
        guard hours <= 14, minutes < 60 else { return nil }
        self.init(minutes: (bytes[0] == 0x2D ? -1 : 1) * (hours * 60 + minutes))
    }
}

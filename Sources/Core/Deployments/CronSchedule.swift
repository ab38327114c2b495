/// Times that come again, as `crontab(5)` writes them: minute, hour, day of the month, month, day of the week.
///
/// Numbers, `*`, ranges, lists and steps. As in Vixie cron, when neither kind of day is `*`, either suffices.
package struct CronSchedule: Hashable, Codable, Sendable {
    /// As it was written.
    package let text: String
    package let offset: UTCOffset
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64

    /// - Returns: Nothing when `text` is no such schedule.
    package init?(_ text: String, offset: UTCOffset = .utc) {
        let fields = text.split(separator: " ").map(String.init)
        guard fields.count == 5, let minutes = Self.bits(fields[0], 0...59), let hours = Self.bits(fields[1], 0...23),
            let days = Self.bits(fields[2], 1...31), let months = Self.bits(fields[3], 1...12),
            var weekdays = Self.bits(fields[4], 0...7)
        else { return nil }
        // 7 is Sunday too.
        if weekdays & (1 << 7) != 0 { weekdays |= 1 }
        self.text = text
        self.offset = offset
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.weekdays = weekdays
    }

    /// `*`, `3`, `1-5`, `*/15`, `0-30/10`, and such parts separated by commas.
    private static func bits(_ field: String, _ range: ClosedRange<Int>) -> UInt64? {
        var bits: UInt64 = 0
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2, let step = halves.count == 2 ? Self.number(halves[1]) : 1, step > 0 else {
                return nil
            }
            var values = range
            if halves[0] != "*" {
                let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map(Self.number)
                guard (1...2).contains(ends.count), let first = ends[0], let last = ends.count == 2 ? ends[1] : first,
                    range.contains(first), range.contains(last), first <= last
                else { return nil }
                // `5/15` is 5, 20, 35, …
                values = ends.count == 1 && halves.count == 2 ? first...range.upperBound : first...last
            }
            for value in stride(from: values.lowerBound, through: values.upperBound, by: step) {
                bits |= 1 << UInt64(value)
            }
        }
        return bits
    }

    private static func number(_ text: Substring) -> Int? {
        (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// The last of its times that is at most `now`, and later than `limit` before it.
    package func last(before now: Timestamp, within limit: Duration) -> Timestamp? {
        let local = now.milliseconds + Int64(self.offset.minutes) * 60_000
        let minute = Int((local >= 0 ? local : local - 59_999) / 60_000)
        let today = (minute >= 0 ? minute : minute - 1439) / 1440
        for day in stride(from: today, through: today - Int(limit.inSeconds / 86_400) - 1, by: -1) {
            guard self.includes(day: day) else { continue }
            let latest = day == today ? minute - today * 1440 : 1439
            guard let found = self.lastMinute(atMost: latest) else { continue }
            let time = Timestamp(milliseconds: Int64(day * 1440 + found - self.offset.minutes) * 60_000)
            return now - time < limit ? time : nil
        }
        return nil
    }

    private func includes(day: Int) -> Bool {
        let date = CalendarDay(daysSince1970: day)
        guard self.months & (1 << UInt64(date.month)) != 0 else { return false }
        let isDay = self.days & (1 << UInt64(date.day)) != 0
        let isWeekday = self.weekdays & (1 << UInt64(CalendarDay.weekday(ofDay: day))) != 0
        let (everyDay, everyWeekday): (UInt64, UInt64) = (0xFFFF_FFFE, 0x7F)
        if self.days == everyDay || self.weekdays & everyWeekday == everyWeekday { return isDay && isWeekday }
        return isDay || isWeekday
    }

    /// Of the minutes of a day.
    private func lastMinute(atMost latest: Int) -> Int? {
        for hour in stride(from: latest / 60, through: 0, by: -1) where self.hours & (1 << UInt64(hour)) != 0 {
            let limit = hour == latest / 60 ? latest % 60 : 59
            for minute in stride(from: limit, through: 0, by: -1) where self.minutes & (1 << UInt64(minute)) != 0 {
                return hour * 60 + minute
            }
        }
        return nil
    }
}

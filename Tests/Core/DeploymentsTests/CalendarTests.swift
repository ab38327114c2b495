import Deployments
import Testing

/// Times as people write them.
@Suite
struct CalendarTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-27T00:00:00Z", 1_795_737_600), ("2000-02-29T23:59:59Z", 951_868_799),
        ("2026-11-27T01:00:00+01:00", 1_795_737_600), ("1969-12-31T23:59:59Z", -1),
    ])
    func `a time is read`(text: String, seconds: Int64) {
        let time = Timestamp(rfc3339: text)
        #expect(time?.milliseconds == seconds * 1000)
        if text.hasSuffix("Z") { #expect(time?.utc == text) }
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-27", "2026-11-27 00:00:00Z", "2026-11-27T24:00:00Z",
        "2026-11-27T00:00:00", "2026-11-27T00:00:00.5Z", "2026-11-27T00:00:00+15:00", "",
    ])
    func `what is no time is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test
    func `every day of four centuries is itself again`() {
        for days in stride(from: -200_000, through: 200_000, by: 37) {
            let day = CalendarDay(daysSince1970: days)
            #expect(day.daysSince1970 == days)
        }
    }

    /// 2026-11-27 is a Friday.
    @Test(arguments: [
        ("0 18 * * 5", "2026-11-27T18:00:00Z", "2026-11-27T18:00:00Z"),
        ("0 18 * * 5", "2026-11-29T12:00:00Z", "2026-11-27T18:00:00Z"),
        ("0 18 * * 5", "2026-11-27T17:59:00Z", nil),
        ("*/15 9-17 * * 1-5", "2026-11-27T09:44:00Z", "2026-11-27T09:30:00Z"),
        ("30 2 1 * *", "2026-12-01T03:00:00Z", "2026-12-01T02:30:00Z"),
        ("0 0 1 * 0", "2026-11-29T01:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * 7", "2026-11-29T01:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 29 2 *", "2026-03-01T00:00:00Z", nil),
    ])
    func `the last time of a schedule within three days`(cron: String, now: String, last: String?) throws {
        let schedule = try #require(CronSchedule(cron))
        let time = try #require(Timestamp(rfc3339: now))
        #expect(schedule.last(before: time, within: .hours(72))?.utc == last)
    }

    @Test
    func `an offset moves the whole schedule`() throws {
        let offset = try #require(UTCOffset("+02:00"))
        let schedule = try #require(CronSchedule("0 0 * * 6", offset: offset))
        let window = FreezeWindow(name: "saturdays", schedule: .recurring(schedule, duration: .hours(24)))
        let open = try #require(Timestamp(rfc3339: "2026-11-27T22:00:00Z"))
        #expect(window.end(at: open)?.utc == "2026-11-28T22:00:00Z")
        #expect(window.end(at: open + .seconds(-1)) == nil)
        #expect(window.end(at: open + .hours(24)) == nil)
    }

    @Test(arguments: [
        "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *",
        "* * * * MON",
    ])
    func `what is no schedule is refused`(text: String) {
        #expect(CronSchedule(text) == nil)
    }

    /// Nothing is asked of a window before that time, so it must not be too late.
    @Test(arguments: [
        (nil, 300), ("*/2 * * * *", 40), ("*/2 * * * *", 60), ("* * * * *", 150),
    ])
    func `a window says the same until the time at which it says that it may change`(
        cron: String?,
        seconds: Int
    ) throws {
        let schedule: FreezeWindow.Schedule =
            if let cron {
                .recurring(try #require(CronSchedule(cron)), duration: .seconds(seconds))
            } else {
                .once(from: Self.at(100), until: Self.at(400))
            }
        let window = FreezeWindow(name: "any", schedule: schedule)
        for second in Int64(-200)..<1000 {
            let change = window.change(after: Self.at(second))
            if cron == nil { #expect(change == [100, 400].first { $0 > second }.map(Self.at)) }
            let until = change.map { $0.milliseconds / 1000 } ?? 1000
            #expect(until > second)
            for later in second..<until { #expect(window.end(at: Self.at(later)) == window.end(at: Self.at(second))) }
        }
    }

    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
}

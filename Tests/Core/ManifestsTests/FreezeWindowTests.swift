import Deployments
import Manifests
import Testing

struct FreezeWindowTests {
    static func text(_ schedule: String, name: String = "black-friday", selector: String = "{}") -> String {
        """
        apiVersion: controller/v1
        kind: FreezeWindow
        metadata: {name: \(name)}
        spec:
          schedule: \(schedule)
          selector: \(selector)
        """
    }

    static let once = "{from: 2026-11-27T00:00:00Z, until: 2026-11-30T00:00:00+01:00}"

    @Test
    func `a window arrives with its times and what it selects`() throws {
        let text = Self.text(Self.once, selector: "{namespaces: [search], labels: {tier: critical}}")
        let state = Fixture.read(text)
        #expect(state.diagnostics == [])
        let window = try #require(state.freezes.first)
        #expect(window.namespaces == ["search"])
        #expect(window.labels == ["tier": "critical"])
        guard case .once(let from, let until) = window.schedule else {
            Issue.record("\(window.schedule)")
            return
        }
        #expect([from.utc, until.utc] == ["2026-11-27T00:00:00Z", "2026-11-29T23:00:00Z"])
        let again = Fixture.read(Self.text("{cron: \"0 18 * * 5\", duration: 60h, timeZone: \"+01:00\"}"))
        let cron = try #require(CronSchedule("0 18 * * 5", offset: UTCOffset(minutes: 60)))
        #expect(again.freezes.map(\.schedule) == [.recurring(cron, duration: .hours(60))])
    }

    @Test(arguments: [
        ("{from: 2026-11-27T00:00:00Z}", "`until` is missing"),
        ("{from: 2026-11-30T00:00:00Z, until: 2026-11-27T00:00:00Z}", "ends before it begins"),
        ("{from: friday, until: 2026-11-27T00:00:00Z}", "expected a time in UTC"),
        ("{cron: \"0 18 * * 5\"}", "`duration` is missing"),
        ("{cron: \"0 18 * * FRI\", duration: 1h}", "in numbers"),
        ("{cron: \"0 18 * * 5\", duration: 1h, timeZone: Europe/Berlin}", "give the offset"),
        ("{}", "one of `from` or `cron` is missing"),
    ])
    func `a mistake is reported with what to write instead`(schedule: String, expected: String) {
        let state = Fixture.read(Self.text(schedule))
        #expect(state.diagnostics.first?.message.contains(expected) == true, "\(state.diagnostics)")
        #expect(state.freezes == [])
        #expect(state.brokenFreezes == ["black-friday"])
    }

    @Test
    func `a window whose name cannot be read may be any of those before`() {
        #expect(Fixture.read(Self.text(Self.once, name: "Black Friday")).brokenFreezes == nil)
        #expect(Fixture.read(Self.text(Self.once) + "\n---\n\t").brokenFreezes == nil)
    }
}

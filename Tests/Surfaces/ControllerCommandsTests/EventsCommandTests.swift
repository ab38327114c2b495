import ControllerAPI
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("controller events")
struct EventsCommandTests {
    private let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private static func event(_ id: Int64, _ deployment: String, _ kind: String, _ message: String, by: String? = nil)
        -> EventStatus
    {
        var event = Statuses.event(100 - Double(id), kind, message, by: by)
        event.deployment = deployment
        event.id = id
        return event
    }

    private static let first = [
        Self.event(1, "search/file-type", "promoted", "magika 3.3 takes all traffic"),
        Self.event(2, "ads/ranker", "paused", "incident 4711", by: "root (sudo: alice)"),
    ]

    @Test
    func `the newest events of all deployments or of a namespace are listed, oldest first`() async throws {
        self.fixture.events.withLock { $0 = Self.first }
        try await self.fixture.serving {
            let all = await self.fixture.run("events")
            #expect(all.status == 0, "\(all)")
            #expect(
                all.output == """
                    TIME       DEPLOYMENT        EVENT     BY                  MESSAGE
                    14:39:27Z  search/file-type  promoted  controller          magika 3.3 takes all traffic
                    14:39:28Z  ads/ranker        paused    root (sudo: alice)  incident 4711

                    """
            )
            let newest = await self.fixture.run("events", "--limit", "1", "--output", "json")
            let listed = try APICoding.decoder().decode([EventStatus].self, from: Data(newest.output.utf8))
            #expect(listed == [Self.first[1]])
            #expect(await self.fixture.run("events", "-n", "search").output.contains("ranker") == false)
            for wrong in [["events", "--limit", "0"], ["events", "search/file-type"]] {
                #expect(await self.fixture.run(wrong).status == 2)
            }
        }
    }

    @Test(arguments: [[], ["--output", "json"]])
    func `following misses nothing and tells nothing twice, also over a restart of the daemon`(output: [String])
        async throws
    {
        let fixture = self.fixture
        fixture.events.withLock { $0 = Self.first }
        let sleep = CommandFixture.script([
            {},
            { try await fixture.stopDaemon() },
            {},
            {
                fixture.events.withLock { events in
                    for id in 3...5 { events.append(Self.event(Int64(id), "ads/ranker", "resumed", "event \(id)")) }
                }
                try await fixture.startDaemon()
            },
            { fixture.events.withLock { $0.append(Self.event(6, "ads/ranker", "promoted", "event 6")) } },
        ])
        try await fixture.serving {
            let run = await fixture.run(["events", "--follow"] + output, sleep: sleep)
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 6, "\(run.output)")
            for (line, text) in zip(lines, ["magika", "4711", "event 3", "event 4", "event 5", "event 6"]) {
                #expect(line.contains(text), "\(line)")
                if !output.isEmpty { _ = try APICoding.decoder().decode(EventStatus.self, from: Data(line.utf8)) }
            }
            if output.isEmpty {
                #expect(lines[1] == "2026-11-23T14:39:28Z  ads/ranker  paused (root (sudo: alice))  incident 4711")
            }
            #expect(run.remarks.hasPrefix("trying again: no controller listens on \(fixture.socket)"))
            #expect(run.remarks.hasSuffix("the controller answers again\n"))
            #expect(run.remarks.split(separator: "\n").count == 2, "\(run.remarks)")
        }
    }
}

import ControllerAPI
import ControllerCommands
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("controller freeze and unfreeze", .timeLimit(.minutes(5)))
struct FreezeCommandTests {
    @Test
    func `a freeze has an end, a reason and somebody whom it is about`() async throws {
        let fixture = try CommandFixture()
        for arguments in [
            ["--for", "2h", "--why", "x"], ["--all", "--why", "x"], ["--all", "--for", "2h"],
            ["--all", "--for", "2h", "--until", "2026-12-27T08:00:00Z", "--why", "x"],
            ["--all", "--namespace", "search", "--for", "2h", "--why", "x"],
        ] {
            #expect(await fixture.run(["freeze"] + arguments).status == 2, "\(arguments)")
        }
        for arguments in [[], ["3", "--all"], ["--all", "--namespace", "search"], ["three"]] {
            #expect(await fixture.run(["unfreeze"] + arguments).status == 2, "\(arguments)")
        }
    }

    @Test
    func `what is frozen is shown, and unfrozen by number or as it was asked for`() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving {
            #expect(await fixture.run("freeze", "--list").remarks == "no freeze of an operator stands\n")
            let all = await fixture.run("freeze", "--all", "--for", "2h", "--why", "incident 4711")
            #expect(all.output == "freeze 1: all deployments\n", "\(all.remarks)")
            let until = "2096-12-27T08:00:00Z"
            _ = await fixture.run(
                "freeze",
                "-n",
                "search",
                "-l",
                "team=a",
                "--until",
                until,
                "--why",
                "holidays"
            )
            let freezes = fixture.fleet.withLock { $0.freezes ?? [] }
            #expect(freezes.map(\.until) == [Statuses.now.addingTimeInterval(7200), APICoding.date(of: until)])
            #expect(freezes.map(\.selection) == ["all deployments", "team=a in namespace search"])

            let list = await fixture.run("freeze", "--list").output.split(separator: "\n")
            #expect(list.count == 3)
            #expect(list[1].contains("all deployments") && list[1].hasSuffix("incident 4711"))
            let get = await fixture.run("get")
            #expect(get.remarks.contains("frozen: all deployments, until "), "\(get.remarks)")
            #expect(get.remarks.contains("(incident 4711); `controller unfreeze 1` ends it"))

            let wrong = await fixture.run("unfreeze", "-n", "search")
            #expect(wrong.status == 1)
            #expect(await fixture.run("unfreeze", "-n", "search", "-l", "team=a").output == "freeze 2 has ended\n")
            #expect(await fixture.run("unfreeze", "1", "--why", "over").status == 0)
            #expect(await fixture.run("unfreeze", "1").status == 1)
            #expect(fixture.fleet.withLock { $0.freezes } == [])
            let audit = await fixture.run("audit", "--action", "unfreeze").output
            #expect(audit.contains("over: freeze 1 has ended"), "\(audit)")
        }
    }
}

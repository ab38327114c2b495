import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller notify")
struct NotifyCommandTests {
    @Test
    func `a receiver is tried, and what it answered or why it refused is told`() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving {
            fixture.answer.withLock { $0 = OperatorAnswer(accepted: true, changed: true, message: "chat answered: ok") }
            let done = await fixture.run("notify", "test", "chat")
            #expect(done.status == 0 && done.output == "chat answered: ok\n", "\(done)")
            #expect(fixture.tested.withLock { $0.map(\.receiver) } == ["chat"])
            // By whom the kernel names.
            #expect(fixture.tested.withLock { $0.first?.by.isEmpty } == false)
            fixture.answer.withLock {
                $0 = OperatorAnswer(accepted: false, changed: false, message: "the receiver \"chat\": 404 no_service")
            }
            let refused = await fixture.run("notify", "test", "chat")
            #expect(refused.status == 1 && refused.remarks.contains("404 no_service"), "\(refused)")
            let json = await fixture.run("notify", "test", "ch at/x", "--output", "json")
            #expect(json.status == 1)
            #expect(fixture.tested.withLock { $0.last?.receiver } == "ch at/x")
        }
    }

    @Test
    func `get warns of receivers that are not told`() async throws {
        let fixture = try CommandFixture()
        fixture.fleet.withLock {
            $0.receivers = [
                ReceiverStatus(name: "mail", waiting: 0, delivered: 3, refused: 0, leftOut: 0),
                ReceiverStatus(name: "chat", waiting: 7, delivered: 0, refused: 2, leftOut: 0, problem: "no answer"),
            ]
        }
        try await fixture.serving {
            let run = await fixture.run("get")
            #expect(run.remarks.contains("warning: receiver chat is not told: no answer (7 waiting, 2 refused)"))
            #expect(!run.remarks.contains("mail"))
            let json = await fixture.run("get", "--output", "json")
            #expect(json.output.contains("\"leftOut\""))
        }
    }
}

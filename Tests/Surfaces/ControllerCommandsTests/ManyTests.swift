import ControllerAPI
import Deployments
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("Commands for many deployments")
struct ManyTests {
    private let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private static func entry(_ name: String, accepted: Bool = true, changed: Bool = true, _ message: String = "")
        -> BatchAnswer.Entry
    {
        BatchAnswer.Entry(deployment: name, OperatorAnswer(accepted: accepted, changed: changed, message: message))
    }

    @Test
    func `whom a command line selects is asked of the daemon at once`() async throws {
        try await self.fixture.serving {
            self.fixture.batchAnswer.withLock {
                $0 = BatchAnswer(answers: [Self.entry("ads/a"), Self.entry("ads/b", changed: false)])
            }
            for line in [
                ["pause", "--all", "--for", "2h", "--why", "incident 4711"],
                ["pause", "-n", "ads", "--selector", "team=ads,tier=", "--why", "x"], ["resume", "ads/a", "ads/b"],
            ] {
                let run = await self.fixture.run(line)
                #expect(run.status == 0, "\(run)")
                #expect(run.remarks.isEmpty, "\(run)")
                let (done, were) = line[0] == "pause" ? ("paused", "were") : ("resumed", "went on")
                #expect(run.output == "1 of 2 deployments \(done), 1 already \(were)\n")
            }
            #expect(
                self.fixture.batches.withLock { $0 }.map { batch in
                    var batch = batch
                    batch.by = ""
                    return batch
                } == [
                    BatchRequest(
                        verb: .pause,
                        why: "incident 4711",
                        until: Statuses.now.addingTimeInterval(7200),
                        selection: DeploymentSelection(all: true)
                    ),
                    BatchRequest(
                        verb: .pause,
                        why: "x",
                        selection: DeploymentSelection(namespace: "ads", labels: ["team": "ads", "tier": ""])
                    ),
                    BatchRequest(verb: .resume, selection: DeploymentSelection(names: ["ads/a", "ads/b"])),
                ]
            )
            #expect(self.fixture.commands.withLock { $0 }.isEmpty)
        }
    }

    @Test
    func `what was refused, and who is not there, is told and ends with 1`() async throws {
        try await self.fixture.serving {
            let empty = await self.fixture.run("pause", "--selector", "team=nobody")
            #expect(empty.status == 1)
            #expect(empty.remarks == "error: no deployment is selected: look at `controller get`\n")
            self.fixture.batchAnswer.withLock {
                $0 = BatchAnswer(answers: [
                    Self.entry("ads/a"), Self.entry("ads/b", accepted: false, changed: false, "it is being removed"),
                ])
            }
            let run = await self.fixture.run("pause", "ads/a", "ads/b", "ads/c")
            #expect(run.status == 1)
            #expect(run.output == "1 of 2 deployments paused\n")
            #expect(
                run.remarks
                    == """
                    error: there is no deployment ads/c
                    error: ads/b: it is being removed
                    hint: say why with --why "…"; whoever looks at them next will ask

                    """
            )
        }
    }

    @Test
    func `a selection means those of which all that it says is true`() {
        let (id, labels) = (DeploymentID(namespace: "ads", name: "a"), ["team": "ads", "tier": "gold"])
        for (selection, isSelected) in [
            (DeploymentSelection(all: true), true), (DeploymentSelection(names: ["ads/a", "x/y"]), true),
            (DeploymentSelection(names: ["ads/b"]), false), (DeploymentSelection(namespace: "ads"), true),
            (DeploymentSelection(names: ["ads/a"], namespace: "search"), false),
            (DeploymentSelection(labels: ["team": "ads"]), true),
            (DeploymentSelection(labels: ["team": "ads", "tier": "iron"]), false),
            (DeploymentSelection(labels: ["nobody's": ""]), false),
        ] {
            #expect(selection.selects(id, labels: labels) == isSelected, "\(selection)")
        }
        // Everybody is never meant by saying nothing.
        #expect(!DeploymentSelection().isMeant)
        #expect(!DeploymentSelection(names: [], labels: [:]).isMeant)
        #expect(!DeploymentSelection(namespace: "ads", all: true).isMeant)
        #expect(!DeploymentSelection(all: false).isMeant)
    }
}

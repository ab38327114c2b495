import ControllerAPI
import ControllerCommands
import ControllerWords
import Foundation
import SampleStatuses
import Testing

@Suite("Rendering")
struct RenderingTests {
    let now = Statuses.now

    @Test(arguments: Statuses.all.map(\.name))
    func `status draws the tree`(name: String) throws {
        let status = try #require(Statuses.all.first { $0.name == name }).status
        let lines = StatusTree.lines(status, now: self.now, width: nil)
        try Golden.expect(lines.rendered(colour: false), is: "status-\(name).txt")
    }

    @Test
    func `a small terminal gets what is not as it should be`() throws {
        let lines = StatusTree.lines(Statuses.midCanary, now: self.now, width: nil, brief: true)
        try Golden.expect(lines.rendered(colour: false), is: "status-brief.txt")
    }

    @Test(arguments: Statuses.all.map(\.name))
    func `explain writes sentences`(name: String) throws {
        let status = try #require(Statuses.all.first { $0.name == name }).status
        let lines = Explanation(status, now: self.now).lines(width: 100)
        try Golden.expect(lines.rendered(colour: false), is: "explain-\(name).txt")
    }

    @Test
    func `explain tells programs the same`() throws {
        let explanation = Explanation(Statuses.paused, now: self.now)
        let json = try JSONText.render(explanation)
        try Golden.expect(json, is: "explain.json")
        #expect(try APICoding.decoder().decode(Explanation.self, from: Data(json.utf8)) == explanation)
    }

    @Test(arguments: Statuses.all.map(\.name))
    func `every explanation says what is possible, and offers only what would act`(name: String) throws {
        let status = try #require(Statuses.all.first { $0.name == name }).status
        let explanation = Explanation(status, now: self.now)
        let offered = explanation.commands.map(\.command)
        #expect(offered.contains { $0.hasPrefix("controller history") })
        #expect(
            offered.contains { $0.hasPrefix("controller abort") } == ["preparing", "stepping"].contains(status.phase)
        )
        #expect(offered.contains { $0.hasPrefix("controller resume") } == (name == "paused"))
        #expect(offered.contains { $0.hasPrefix("controller retry") } == (name == "rolled-back"))
        for choice in explanation.commands where choice.command.contains("abort") {
            #expect(choice.effect.contains("quarantines"))
        }
    }

    @Test
    func `get draws a table`() throws {
        var statuses = Statuses.all.map { name, status in
            var status = status
            status.name = name
            return status
        }
        statuses.append(
            DeploymentStatus(
                namespace: "default",
                name: "embedder",
                phase: "pending",
                health: .unknown,
                message: "",
                since: Statuses.ago(3)
            )
        )
        let lines = FleetTable.lines(statuses, now: self.now, width: nil)
        try Golden.expect(lines.rendered(colour: false), is: "get.txt")
        for line in FleetTable.lines(statuses, now: self.now, width: 60) { #expect(line.width <= 60) }
    }

    @Test
    func `history draws a table`() throws {
        let lines = HistoryTable.lines(Statuses.paused.events, now: self.now, width: nil)
        try Golden.expect(lines.rendered(colour: false), is: "history.txt")
    }

    @Test
    func `YAML says what JSON says`() throws {
        try Golden.expect(YAMLText.render(try JSONText.tree(of: Statuses.midCanary)), is: "status.yaml")
        try Golden.expect(try JSONText.render(Statuses.midCanary), is: "status.json")
    }

    @Test
    func `a broken repository is told apart from the data`() {
        let source = SourceStatus(
            repository: "models",
            branch: "main",
            commit: Statuses.oldCommit.commit,
            lastPolled: Statuses.ago(90),
            problem: "the host does not answer",
            diagnostics: ["models/a.yaml:3:1: error: unknown kind"]
        )
        #expect(
            FleetTable.warnings(FleetStatus(time: self.now, deployments: [], sources: [source]), now: self.now)
                .rendered(colour: false) == """
                    warning: models (main): the host does not answer; commit 9c1d2e0b stands, last polled 1m30s ago
                    warning: models (main): models/a.yaml:3:1: error: unknown kind

                    """
        )
    }

    @Test
    func `what is served and unknown is named`() {
        let fleet = FleetStatus(time: self.now, deployments: [], sources: [], unknown: ["search/file-type"])
        #expect(
            FleetTable.warnings(fleet, now: self.now).rendered(colour: false)
                == "warning: search/file-type is served and unknown: the journal was lost, and git has not said yet "
                + "what it is\n"
        )
    }

    @Test
    func `no text of others reaches the terminal as a command`() throws {
        let status = Statuses.hostile
        let texts = [
            StatusTree.lines(status, now: self.now, width: nil).rendered(colour: false),
            Explanation(status, now: self.now).lines(width: 100).rendered(colour: false),
            FleetTable.lines([status], now: self.now, width: nil).rendered(colour: false),
            HistoryTable.lines(status.events, now: self.now, width: nil).rendered(colour: false),
            [ChangeLine.line(status, now: self.now)].rendered(colour: false),
            try JSONText.render(status),
            YAMLText.render(try JSONText.tree(of: status)),
        ]
        for text in texts {
            #expect(text.contains("owned"))
            for scalar in text.unicodeScalars where scalar != "\n" {
                let isCommand = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                #expect(
                    !isCommand && scalar != "\u{202E}" && scalar != "\u{2028}",
                    "U+\(String(scalar.value, radix: 16))"
                )
            }
        }
        // Escaping must not change what programs read.
        let decoded = try APICoding.decoder().decode(DeploymentStatus.self, from: Data(texts[5].utf8))
        #expect(decoded == status)
    }

    @Test
    func `colour adds escape sequences and nothing else`() {
        for (_, status) in Statuses.all {
            let lines = StatusTree.lines(status, now: self.now, width: nil)
            let coloured = lines.rendered(colour: true)
            #expect(coloured.contains("\u{1b}[32m"))
            #expect(
                coloured.replacing(/\u{1b}\[\d*m/, with: "").split(separator: "\n").map { $0.trimmingSuffix(" ") }
                    == lines.rendered(colour: false).split(separator: "\n").map { $0.trimmingSuffix(" ") }
            )
        }
    }

    @Test(arguments: [20, 40, 80, 200])
    func `no line is wider than the terminal`(width: Int) {
        for (_, status) in Statuses.all {
            for line in StatusTree.lines(status, now: self.now, width: width) { #expect(line.width <= width) }
        }
    }

    @Test
    func `a log gets a line for what changed, not for what is measured`() {
        let status = Statuses.midCanary
        var measured = status
        measured.gates[1].breachEvidence = 0.5
        measured.gates[1].value = "canary 1.5 %"
        measured.sources = ["router: 0.1 s ago"]
        #expect(ChangeLine.Key(status) == ChangeLine.Key(measured))
        var decided = status
        decided.gates[1].outcome = "passed"
        #expect(ChangeLine.Key(status) != ChangeLine.Key(decided))
        #expect(
            ChangeLine.line(status, now: self.now).rendered(colour: false)
                == "2026-11-23T14:41:06Z  search/file-type  stepping  progressing  step 2/4 weight 25 %  "
                + "canary 25 % 2/3 ready  gate latency inconclusive  gate prediction-drift provider-down  "
                + "canary magika 3.4 takes 25 % of the traffic"
        )
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ character: Character) -> Substring {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}

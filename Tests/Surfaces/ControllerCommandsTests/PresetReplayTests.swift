import ControllerCommands
import Foundation
import Testing

@Suite("What other tools' rules would have done")
struct PresetReplayTests {
    /// A real export: a promotion, a rollback, and a model that an operator took back.
    static let history = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Engine/DecisionsTests/Golden/history.jsonl").path

    @Test
    func `a replay sets what each rule would have done beside what happened`() async throws {
        let fixture = try CommandFixture()
        let run = await fixture.run(
            "replay",
            Self.history,
            "--preset",
            "flagger",
            "--preset",
            "controller",
            "--output",
            "json"
        )
        #expect(run.status == 0, "\(run.remarks)")
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            return try Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
        }
        let report = try decoder.decode(ReplayReport.self, from: Data(run.output.utf8))
        let verdicts = try #require(report.presets)
        let rolledBack = verdicts.filter { $0.happened == "rolled-back" }
        #expect(verdicts.contains { $0.happened == "promoted" && $0.rollback == nil })
        // The rule needs five failed checks of a minute each.
        #expect(rolledBack.filter { $0.preset == "flagger" }.allSatisfy { $0.rollback == nil })
        let ours = rolledBack.filter { $0.preset == "controller" }
        let times = ours.compactMap { verdict in verdict.rollback.map { ($0, verdict.ended) } }
        #expect(!times.isEmpty)
        #expect(times.allSatisfy { rollback, ended in ended.map { rollback <= $0 } ?? false })
        #expect(verdicts.count(where: { $0.preset == "flagger" }) == verdicts.count / 2)
    }

    @Test
    func `in a table the rules stand below their deployment`() async throws {
        let fixture = try CommandFixture()
        let run = await fixture.run("replay", Self.history, "--preset", "kayenta")
        #expect(run.output.contains("kayenta would not have rolled it back; it was promoted after"))
        let without = await fixture.run("replay", Self.history)
        #expect(!without.output.contains("kayenta"))
    }
}

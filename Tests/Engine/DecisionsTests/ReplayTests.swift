import Decisions
import Deployments
import Planning
import Rollouts
import Testing

@Suite("Replays")
struct ReplayTests {
    @Test(arguments: [0.002, 0.5])
    func `a whole rollout comes out again byte for byte`(errors: Double) async throws {
        let decisions = await RecordedWorld.decisions(errors: errors)
        #expect(decisions.count > 10)
        let kinds = Set(decisions.flatMap(\.outcome.transitions).map(\.kind))
        #expect(kinds.contains(errors > 0.1 ? .rolledBack : .settled))
        let (steps, isComplete) = try RecordedWorld.replay(try RecordedWorld.export(decisions))
        #expect(isComplete)
        #expect(steps.count == decisions.count)
        #expect(steps.allSatisfy { $0.difference == nil && !$0.followsGap })
        #expect(steps.map(\.decision) == decisions)
    }

    @Test(
        arguments: [
            .flagger(FlaggerRule(interval: .seconds(10), threshold: 2)), .argo(ArgoRule(interval: .seconds(10))),
            .kayenta(KayentaRule(lifetimeDuration: .minutes(3), analysisInterval: .minutes(2))),
        ] as [PresetRule]
    )
    func `a rollout that another tool's rule judged comes out again, through restarts`(rule: PresetRule) async throws {
        var policy = RecordedWorld.policy
        policy.gates = [Gate(name: "success-rate", kind: .preset(rule))]
        for errors in [0.002, 0.5] {
            let decisions = await RecordedWorld.decisions(errors: errors, ticks: 500, kills: [35, 90], policy: policy)
            let kinds = Set(decisions.flatMap(\.outcome.transitions).map(\.kind))
            #expect(kinds.contains(errors > 0.1 ? .rolledBack : .promoted))
            let (steps, isComplete) = try RecordedWorld.replay(try RecordedWorld.export(decisions))
            #expect(isComplete)
            #expect(steps.map(\.decision) == decisions)
            #expect(steps.allSatisfy { $0.difference == nil })
        }
    }

    @Test
    func `two runs over one history write the same bytes`() async throws {
        let first = try RecordedWorld.export(await RecordedWorld.decisions())
        let second = try RecordedWorld.export(await RecordedWorld.decisions())
        #expect(first == second)
        // And what was replayed, exported once more, is the export.
        let (steps, _) = try RecordedWorld.replay(first)
        #expect(try RecordedWorld.export(steps.compactMap(\.decision)) == first)
    }

    @Test
    func `a controller that was killed and started again leaves no gap in what it decided`() async throws {
        let decisions = await RecordedWorld.decisions(kills: [28, 35, 60])
        // A restart begins a chapter: the recorder of the new controller knows none.
        let half = decisions.count / 2
        var lines = try RecordedWorld.export(Array(decisions[..<half])).dropLast()
        lines += try RecordedWorld.export(Array(decisions[half...])).dropFirst().dropLast()
        lines.append(try DecisionLine.bytes(of: DecisionLine.End(decisions: decisions.count)))
        let (steps, isComplete) = try RecordedWorld.replay(Array(lines))
        #expect(isComplete)
        #expect(steps.allSatisfy { $0.difference == nil && !$0.followsGap })
        #expect(steps.count { $0.record.before != nil } >= 2)
    }

    @Test(arguments: UInt64(1)...4)
    func `hostile worlds come out again`(seed: UInt64) async throws {
        let decisions = await RecordedWorld.hostile(seed: seed)
        let (steps, isComplete) = try RecordedWorld.replay(try RecordedWorld.export(decisions))
        #expect(isComplete)
        #expect(steps.count == decisions.count)
        #expect(steps.allSatisfy { $0.difference == nil })
    }

    @Test
    func `a decision that was not kept is a gap, and what follows begins a chapter`() async throws {
        var decisions = await RecordedWorld.decisions()
        decisions.remove(at: 12)
        let (steps, isComplete) = try RecordedWorld.replay(try RecordedWorld.export(decisions))
        #expect(isComplete)
        #expect(steps.allSatisfy { $0.difference == nil })
        #expect(steps.indices.filter { steps[$0].followsGap } == [12])
    }

    @Test
    func `long histories begin a chapter now and then`() async throws {
        let decisions = await RecordedWorld.decisions(ticks: 400)
        let many = Array(repeating: decisions, count: 2 + DecisionRecorder.chapterLimit / decisions.count).flatMap(
            \.self
        )
        let (steps, _) = try RecordedWorld.replay(try RecordedWorld.export(many))
        #expect(steps.count == many.count)
        #expect(steps.allSatisfy { $0.record.index < DecisionRecorder.chapterLimit })
        #expect(steps.allSatisfy { $0.difference == nil })
    }
}

@Suite("What a replay finds")
struct ReplayDifferenceTests {
    let lines: [[UInt8]]
    let places: [Int]

    init() async throws {
        let lines = try RecordedWorld.export(await RecordedWorld.decisions())
        self.lines = lines
        self.places = lines.indices.filter { lines[$0].starts(with: Array("{\"decision\"".utf8)) }
    }

    func text(_ index: Int) -> String {
        String(decoding: self.lines[self.places[index]], as: UTF8.self)
    }

    /// The lines with the first `old` in the decision of this index replaced.
    func tampered(_ index: Int, _ old: String, _ new: String) throws -> [[UInt8]] {
        var lines = self.lines
        let text = self.text(index)
        try #require(text.contains(old), "\(old) is not in decision \(index)")
        lines[self.places[index]] = Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
        return lines
    }

    @Test
    func `a changed record is found at its place, whatever was changed`() async throws {
        for index in stride(from: 0, to: self.places.count, by: max(1, self.places.count / 5)) {
            // The host of a replica has no part in any decision.
            for (old, new) in [("\"host\":\"h", "\"host\":\"x"), ("\"time\":17", "\"time\":18")] {
                guard self.text(index).contains(old) else { continue }
                let lines = try self.tampered(index, old, new)
                let (steps, _) = try RecordedWorld.replay(lines)
                #expect(steps.count == index + 1)
                #expect(steps.last?.difference?.isAltered == true)
            }
        }
    }

    @Test
    func `no byte that is changed gets by, and none ends the program`() async throws {
        // SplitMix64's constant, for places that are spread over the whole file.
        var place: UInt64 = 1
        let all = try RecordedWorld.export(Array(await RecordedWorld.decisions(ticks: 40).prefix(12)))
        let sizes = all.map(\.count)
        let total = UInt64(sizes.reduce(0, +))
        for _ in 0..<100 {
            place = place &* 0xBF58_476D_1CE4_E5B9 &+ 0x9E37_79B9_7F4A_7C15
            var (line, offset) = (0, Int((place >> 16) % total))
            while offset >= sizes[line] { (line, offset) = (line + 1, offset - sizes[line]) }
            var lines = all
            lines[line][offset] ^= UInt8(1 << (place >> 8 & 7))
            // What says nothing about decisions may be changed: the header's time, a chapter's name.
            let isDecision = all[line].starts(with: Array("{\"decision\"".utf8))
            if Self.replays(lines, count: 12) { #expect(!isDecision, "\(line):\(offset)") }
        }
    }

    private static func replays(_ lines: [[UInt8]], count: Int) -> Bool {
        do {
            let (steps, isComplete) = try RecordedWorld.replay(lines)
            return isComplete && steps.count == count && steps.allSatisfy { $0.difference == nil }
        } catch {
            return false
        }
    }

    @Test
    func `a core that decides otherwise is found at its first other decision`() async throws {
        let decisions = await RecordedWorld.decisions(errors: 0.5)
        let index = try #require(
            decisions.firstIndex { $0.outcome.transitions.contains { $0.kind == .rollingBack } }
        )
        let lenient: Decision.Handler = { rollout, situation, now in
            var changed = rollout
            var outcome = changed.handle(situation, at: now)
            if case .rollingBack = changed.phase, rollout.phase != changed.phase {
                outcome.transitions = []
                return outcome
            }
            rollout = changed
            return outcome
        }
        let (steps, _) = try RecordedWorld.replay(try RecordedWorld.export(decisions), by: lenient)
        #expect(steps.count == index + 1)
        let difference = try #require(steps.last?.difference)
        #expect(!difference.isAltered)
        #expect(difference.path.hasPrefix("rollout."))
    }

    @Test
    func `a line that is missing is named, with what to do`() async throws {
        var lines = self.lines
        lines.remove(at: self.places[9])
        let error = #expect(throws: ReplayError.self) { try RecordedWorld.replay(lines) }
        #expect(error?.code == .incomplete)
        #expect(error?.message.contains("export it anew") == true)

        let spec = try #require(self.lines.firstIndex { $0.starts(with: Array("{\"digest\"".utf8)) })
        lines = self.lines
        lines.remove(at: spec)
        #expect(throws: ReplayError.self) { try RecordedWorld.replay(lines) }
        #expect(throws: ReplayError.self) { try RecordedWorld.replay(Array(self.lines.dropFirst())) }
    }

    @Test
    func `an export that was cut off is not complete, and one with a decision too few says so`() async throws {
        let (steps, isComplete) = try RecordedWorld.replay(Array(self.lines.dropLast()))
        #expect(!isComplete)
        #expect(steps.count == self.places.count)
        var lines = self.lines
        lines.remove(at: try #require(self.places.last))
        let error = #expect(throws: ReplayError.self) { try RecordedWorld.replay(lines) }
        #expect(error?.code == .incomplete)
    }

    @Test(arguments: ["", "{}", "[1]", "nonsense", "{\"decision\":{}}", "{\"header\":{\"format\":9}}", "\u{0}\u{1}"])
    func `what is no export is refused`(text: String) {
        #expect(throws: ReplayError.self) { try RecordedWorld.replay([Array(text.utf8)]) }
    }

    @Test
    func `what another core wrote in another form is said to be that`() async throws {
        let text = "{\"decision\":{\"core\":\"99\",\"news\":1},\"sum\":\"\"}"
        let error = #expect(throws: ReplayError.self) { try RecordedWorld.replay([self.lines[0], Array(text.utf8)]) }
        #expect(error?.code == .otherVersion)
        #expect(error?.message.contains("core 99") == true)
    }
}

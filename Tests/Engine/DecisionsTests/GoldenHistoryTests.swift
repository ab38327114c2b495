import Decisions
import Foundation
import Rollouts
import Testing

/// Replays a history that the core decided when the file was made: told the same, it must answer the same, byte for
/// byte, unless its version says that it is another.
///
/// Only the file and the core count. The simulator made the file, and may change.
@Suite("Golden history")
struct GoldenHistoryTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/history.jsonl")

    enum Problem: Error, CustomStringConvertible {
        /// The version was raised, and the file is of the one before.
        case outdated(core: String)
        /// The version is the same, and the decisions are not.
        case otherwise(String)

        var description: String {
            switch self {
            case .outdated(let core):
                """
                the golden history is of core \(core), and this is core \(CoreVersion.current): run `make golden`, \
                and commit the new one
                """
            case .otherwise(let what):
                """
                core \(CoreVersion.current) does not decide any more as it did, or its values are written otherwise:
                \(what)
                If that is meant, raise CoreVersion.current in Sources/Engine/Decisions/CoreVersion.swift, run \
                `make golden`, and commit both: what the new core records must not pass for the old one's.
                """
            }
        }
    }

    private static func lines() throws -> [[UInt8]] {
        try Data(contentsOf: Self.file).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    /// Replays with the core, or with one that a test changed.
    private static func check(_ lines: [[UInt8]], handler: @escaping Decision.Handler = { $0.handle($1, at: $2) })
        throws(Problem)
    {
        do {
            guard let first = lines.first, case .header(let header) = try DecisionLine(reading: first) else {
                throw Problem.otherwise("\(Self.file.path) does not begin as an export does")
            }
            guard header.core == CoreVersion.current else { throw Problem.outdated(core: header.core) }
            let (steps, isComplete) = try RecordedWorld.replay(lines, by: handler)
            if let step = steps.last, let found = step.difference {
                throw Problem.otherwise(
                    "decision \(step.record.number), \(found.path): recorded \(found.recorded), now \(found.again)"
                )
            }
            if !isComplete { throw Problem.otherwise("\(Self.file.path) is cut off") }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .otherwise("\(error)")
        }
    }

    @Test
    func `a recorded history comes out again, or the core's version was raised`() async throws {
        guard ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" else { return try Self.check(Self.lines()) }
        // Not rewritten while the old records and the new ones have one version, so that nobody forgets to raise it.
        if FileManager.default.fileExists(atPath: Self.file.path) {
            do { try Self.check(Self.lines()) } catch Problem.outdated {}
        }
        let export = try RecordedWorld.export(await RecordedWorld.history())
        try Data(export.joined()).write(to: Self.file)
    }

    @Test
    func `a core that decides otherwise under the same version is told to raise it`() async throws {
        let lines = try RecordedWorld.export(await RecordedWorld.history())
        let hasty: Decision.Handler = { rollout, situation, now in
            let outcome = rollout.handle(situation, at: now)
            rollout.pause = nil
            return outcome
        }
        let problem = #expect(throws: Problem.self) { try Self.check(lines, handler: hasty) }
        #expect(problem?.description.contains("rollout.pause") == true)
        #expect(problem?.description.contains("raise CoreVersion.current") == true)

        var old = lines
        let header = String(decoding: lines[0], as: UTF8.self)
        old[0] = Array(header.replacing("\"core\":\"\(CoreVersion.current)\"", with: "\"core\":\"old\"").utf8)
        let outdated = #expect(throws: Problem.self) { try Self.check(old) }
        #expect(outdated?.description.contains("run `make golden`") == true)
        #expect(outdated?.description.contains("core old") == true)
    }

    @Test
    func `the recorded history has a promotion, a bake, a rollback by a gate and one by hand`() throws {
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { return }
        let (steps, _) = try RecordedWorld.replay(try Self.lines())
        let transitions = steps.flatMap { $0.record.result.transitions }
        let kinds: Set<Transition.Kind> = [.promoted, .settled, .rolledBack, .paused, .resumed, .stepStarted]
        #expect(kinds.isSubset(of: transitions.map(\.kind)))
        #expect(transitions.contains { $0.kind == .rolledBack && $0.message.contains("gate errors failed") })
        #expect(transitions.contains { $0.kind == .rolledBack && $0.by == "sre" })
    }
}

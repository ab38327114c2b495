import Deployments
import Rollouts

/// Makes recorded decisions again and compares, byte for byte.
///
/// It needs nothing but the lines: no clock, no platform, no network.
package struct Replay: Sendable {
    private let handler: Decision.Handler
    private var specs: [String: DeploymentSpec] = [:]
    private var chapters: [DeploymentID: Chapter] = [:]
    private var hasHeader = false
    private var seen = 0
    /// Whether the line that ends an export was read.
    package private(set) var isComplete = false

    private struct Chapter: Sendable {
        var number: Int64
        var next: Int
        var rollout: Rollout
    }

    /// What a decision was, made again.
    package struct Step: Sendable {
        package var record: RecordedDecision
        /// Nothing when the record was changed after it was written: nobody knows what it would make the core do.
        package var decision: Decision?
        /// The chapter goes on from another rollout than the chapter before it ended with: decisions between them were
        /// not kept.
        package var followsGap: Bool
        /// Nothing when both agree.
        package var difference: Difference?
    }

    package struct Difference: Hashable, Codable, Sendable {
        /// `plan.effects[0].route`, `rollout.phase`; `sum` when the record is not the one that was written.
        package var path: String
        package var recorded: String
        package var again: String
        /// The record was changed after it was written.
        package var isAltered: Bool
    }

    package init(handler: @escaping Decision.Handler = { $0.handle($1, at: $2) }) {
        self.handler = handler
    }

    /// Takes the next line of an export.
    ///
    /// - Returns: The decision on that line, made again; nothing for other lines and for what `isWanted` turns away.
    /// - Throws: A `ReplayError` when the line cannot be read or does not follow from those before it.
    package mutating func take(
        _ bytes: [UInt8],
        where isWanted: (RecordedDecision) -> Bool = { _ in true }
    ) throws(ReplayError) -> Step? {
        let line = try DecisionLine(reading: bytes)
        if case .header(let header) = line {
            guard header.format == DecisionLine.Header.format else {
                throw ReplayError(
                    code: .otherVersion,
                    message: "the file has format \(header.format), this program reads \(DecisionLine.Header.format): "
                        + "replay it with the controller that wrote it"
                )
            }
            self.hasHeader = true
            return nil
        }
        guard self.hasHeader, !self.isComplete else {
            let message =
                self.isComplete
                ? "the export ended before this line: export it anew"
                : "the file does not begin as an export does: make it with `controller history --export`"
            throw ReplayError(code: .unreadable, message: message)
        }
        switch line {
        case .header, .chapter:
            return nil
        case .spec(let digest, let spec):
            try Self.check(spec, digest)
            self.specs[digest] = spec
            return nil
        case .end(let end):
            guard end.decisions == self.seen else {
                throw ReplayError(
                    code: .incomplete,
                    message: "the export had \(end.decisions) decisions, and \(self.seen) are here: export it anew"
                )
            }
            self.isComplete = true
            return nil
        case .decision(let record, let sum):
            self.seen += 1
            return isWanted(record) ? try self.decide(record, sum: sum) : nil
        }
    }

    private static func check(_ spec: DeploymentSpec, _ digest: String) throws(ReplayError) {
        guard try Self.digest(of: spec) == digest else {
            throw ReplayError(
                code: .altered,
                message: "the manifest \(digest.prefix(10)) was changed after it was written: its digest is wrong"
            )
        }
    }

    private static func digest(of value: some Encodable) throws(ReplayError) -> String {
        do {
            return CanonicalCoding.digest(of: try CanonicalCoding.encode(value))
        } catch {
            throw ReplayError(code: .unreadable, message: "it cannot be written again: \(error)")
        }
    }

    private mutating func decide(_ record: RecordedDecision, sum: String) throws(ReplayError) -> Step {
        let actual = try Self.digest(of: record)
        guard actual == sum else {
            let difference = Difference(path: "sum", recorded: sum, again: actual, isAltered: true)
            return Step(record: record, decision: nil, followsGap: false, difference: difference)
        }
        let known = self.chapters[record.deployment]
        let before = try self.rollout(before: record)
        var situation = record.situation
        switch record.desired {
        case .unknown: situation.desired = .unknown
        case .absent: situation.desired = .absent
        case .spec(let digest):
            guard let spec = self.specs[digest] else {
                throw ReplayError(
                    code: .incomplete,
                    message: "decision \(record.number) is about the manifest \(digest.prefix(10)), which is not in "
                        + "the file: export it anew"
                )
            }
            situation.desired = .spec(spec)
        }
        let decision = Decision(of: before, in: situation, at: record.time, handler: self.handler)
        self.chapters[record.deployment] = Chapter(
            number: record.chapter,
            next: record.index + 1,
            rollout: decision.after
        )
        return Step(
            record: record,
            decision: decision,
            followsGap: record.before != nil && known != nil && known?.rollout != record.before,
            difference: try Self.difference(of: record, from: decision)
        )
    }

    private func rollout(before record: RecordedDecision) throws(ReplayError) -> Rollout {
        if let rollout = record.before { return rollout }
        guard let chapter = self.chapters[record.deployment], chapter.number == record.chapter,
            chapter.next == record.index
        else {
            throw ReplayError(
                code: .incomplete,
                message: "decision \(record.number) of \(record.deployment) is number \(record.index + 1) of its "
                    + "chapter, and the one before it is not in the file: export it anew"
            )
        }
        return chapter.rollout
    }

    private static func difference(
        of record: RecordedDecision,
        from decision: Decision
    ) throws(ReplayError) -> Difference? {
        do {
            let recorded = JSONSlice(try CanonicalCoding.encode(record.result))
            let again = JSONSlice(try CanonicalCoding.encode(try RecordedDecision.Result(of: decision)))
            guard let found = JSONSlice.firstDifference(recorded, again) else { return nil }
            let (path, left, right) = Self.detailed(found, recorded, again)
            return Difference(path: path, recorded: left, again: right, isAltered: false)
        } catch {
            throw ReplayError(code: .unreadable, message: "decision \(record.number) cannot be written: \(error)")
        }
    }

    /// Where the rollouts differ, their fields say more than the digest of them all.
    private static func detailed(
        _ found: (path: String, left: String, right: String),
        _ recorded: JSONSlice,
        _ again: JSONSlice
    ) -> (path: String, left: String, right: String) {
        if found.path == "after",
            let ours = recorded.members?.first(where: { $0.key == "outline" })?.value,
            let theirs = again.members?.first(where: { $0.key == "outline" })?.value,
            let inner = JSONSlice.firstDifference(ours, theirs)
        {
            return ("rollout.\(inner.path)", inner.left, inner.right)
        }
        return found
    }
}

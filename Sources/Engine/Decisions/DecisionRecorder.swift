package import Deployments
import Rollouts

/// Turns decisions into records. Each continues the one before it in its chapter, or begins a chapter with the whole
/// rollout: after a start, after a decision that could not be kept, and now and then, so that old chapters can go.
///
/// A value: what it gives is kept first, and then told with ``keep(_:)``; a write that fails leaves no trace.
package struct DecisionRecorder: Sendable {
    private var open: [DeploymentID: Chapter] = [:]
    private var next: Int64

    fileprivate struct Chapter: Sendable {
        var number: Int64
        var decisions: Int
        var size: Int
        /// The rollout after the last decision kept.
        var rollout: Rollout
        var spec: (value: DeploymentSpec, digest: String)?
        /// The end of the last record as it was written, to compress the next by.
        var last: [UInt8]
        var lastKept: Int64
    }

    /// A record, ready to be written.
    package struct Recording: Sendable {
        package var number: Int64
        package var chapter: Int64
        package var deployment: DeploymentID
        package var time: Timestamp
        /// The record in canonical JSON.
        package var bytes: [UInt8]
        /// The SHA-256 of `bytes`.
        package var sum: String
        /// The rollout afterwards in canonical JSON: the largest part of a decision's cost, for whoever keeps it too.
        package var rollout: [UInt8]
        /// The manifest that the decision was about, when the chapter did not have it yet, in canonical JSON.
        package var spec: (digest: String, bytes: [UInt8])?
        /// The end of the record before it in its chapter, at most ``DecisionRecorder/window`` bytes; empty at its
        /// beginning.
        package var previous: [UInt8]
        fileprivate var continued: Chapter

        package var beginsChapter: Bool { self.number == self.chapter }
    }

    /// So few that a page of an export is read at once, and so many that a whole rollout, some dozen kilobytes, is
    /// little beside them.
    package static let chapterLimit = 256
    /// Bytes, uncompressed.
    package static let chapterSize = 4 << 20
    /// Bytes of a record that the next is compressed by: the largest window of deflate.
    package static let window = 32 << 10
    /// Deployments that decide now. Of others the last record is forgotten, and the next begins a chapter.
    static let openLimit = 1024

    /// - Parameter last: The number of the last decision ever kept; 0 for none.
    package init(after last: Int64) {
        self.next = last + 1
    }

    /// - Throws: Only what encoding does.
    package func record(_ decision: Decision) throws -> Recording {
        let number = self.next
        var chapter = self.chapter(for: decision)
        let begins = chapter.number == number
        var situation = decision.situation
        situation.desired = .unknown
        var (desire, added): (RecordedDesire, (digest: String, bytes: [UInt8])?) = (.unknown, nil)
        switch decision.situation.desired {
        case .unknown: break
        case .absent: desire = .absent
        case .spec(let spec):
            if let known = chapter.spec, known.value == spec {
                desire = .spec(known.digest)
            } else {
                let bytes = try CanonicalCoding.encode(spec)
                let digest = CanonicalCoding.digest(of: bytes)
                (desire, added) = (.spec(digest), (digest, bytes))
                chapter.spec = (spec, digest)
            }
        }
        let rollout = try CanonicalCoding.encode(decision.after)
        let record = RecordedDecision(
            number: number,
            chapter: chapter.number,
            index: chapter.decisions,
            deployment: decision.deployment,
            time: decision.time,
            core: CoreVersion.current,
            before: begins ? decision.before : nil,
            desired: desire,
            situation: situation,
            result: RecordedDecision.Result(of: decision, rollout: rollout)
        )
        let bytes = try CanonicalCoding.encode(record)
        let previous = chapter.last
        chapter.decisions += 1
        chapter.size += bytes.count
        chapter.rollout = decision.after
        chapter.last = Array(bytes.suffix(Self.window))
        chapter.lastKept = number
        return Recording(
            number: number,
            chapter: chapter.number,
            deployment: decision.deployment,
            time: decision.time,
            bytes: bytes,
            sum: CanonicalCoding.digest(of: bytes),
            rollout: rollout,
            spec: added,
            previous: previous,
            continued: chapter
        )
    }

    private func chapter(for decision: Decision) -> Chapter {
        if let chapter = self.open[decision.deployment], chapter.decisions < Self.chapterLimit,
            chapter.size < Self.chapterSize, chapter.rollout == decision.before
        {
            return chapter
        }
        return Chapter(
            number: self.next,
            decisions: 0,
            size: 0,
            rollout: decision.before,
            last: [],
            lastKept: self.next
        )
    }

    /// The record was written: the next one continues it.
    package mutating func keep(_ recording: Recording) {
        self.next = max(self.next, recording.number + 1)
        self.open[recording.deployment] = recording.continued
        guard self.open.count > Self.openLimit else { return }
        let oldest = self.open.min { $0.value.lastKept < $1.value.lastKept }
        if let oldest { self.open[oldest.key] = nil }
    }
}

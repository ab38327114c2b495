package import Deployments
import Rollouts

/// An export: JSON, one value on a line. First a header, then chapters (each with its manifests and decisions), and in
/// the end how many decisions there were, so that a copy that was cut off is noticed.
package enum DecisionLine: Sendable {
    case header(Header)
    case chapter(ChapterHead)
    case spec(digest: String, DeploymentSpec)
    case decision(RecordedDecision, sum: String)
    case end(End)

    package struct Header: Hashable, Codable, Sendable {
        /// Of the file; another number needs another reader.
        package var format: Int
        package var core: String
        package var exported: Timestamp
        /// Nothing for all deployments.
        package var deployment: DeploymentID?

        package static let format = 1

        package init(exported: Timestamp, deployment: DeploymentID?) {
            self.format = Self.format
            self.core = CoreVersion.current
            self.exported = exported
            self.deployment = deployment
        }
    }

    package struct ChapterHead: Hashable, Codable, Sendable {
        package var number: Int64
        package var deployment: DeploymentID
        package var decisions: Int

        package init(number: Int64, deployment: DeploymentID, decisions: Int) {
            self.number = number
            self.deployment = deployment
            self.decisions = decisions
        }
    }

    package struct End: Hashable, Codable, Sendable {
        package var decisions: Int

        package init(decisions: Int) { self.decisions = decisions }
    }
}

extension DecisionLine {
    // Written by hand where bytes are at hand: they stay as they were recorded.

    /// - Throws: Only what encoding does.
    package static func bytes(of header: Header) throws -> [UInt8] {
        Self.line(("header", try CanonicalCoding.encode(header)))
    }

    package static func bytes(of head: ChapterHead) throws -> [UInt8] {
        Self.line(("chapter", try CanonicalCoding.encode(head)))
    }

    package static func bytes(of end: End) throws -> [UInt8] {
        Self.line(("end", try CanonicalCoding.encode(end)))
    }

    package static func bytes(ofSpec bytes: [UInt8], digest: String) -> [UInt8] {
        Self.line(("digest", Array("\"\(digest)\"".utf8)), ("spec", bytes))
    }

    package static func bytes(ofDecision bytes: [UInt8], sum: String) -> [UInt8] {
        Self.line(("decision", bytes), ("sum", Array("\"\(sum)\"".utf8)))
    }

    private static func line(_ members: (key: String, value: [UInt8])...) -> [UInt8] {
        var line: [UInt8] = []
        for (key, value) in members {
            line += Array((line.isEmpty ? "{" : ",").utf8) + Array("\"\(key)\":".utf8) + value
        }
        return line + Array("}\n".utf8)
    }

    private struct Members: Decodable {
        var header: Header?
        var chapter: ChapterHead?
        var digest: String?
        var spec: DeploymentSpec?
        var decision: RecordedDecision?
        var sum: String?
        var end: End?
    }

    /// Reads a line.
    ///
    /// - Throws: A `ReplayError` that says what the line is not.
    package init(reading bytes: [UInt8]) throws(ReplayError) {
        let members: Members
        do {
            members = try CanonicalCoding.decode(Members.self, from: bytes)
        } catch {
            throw Self.unreadable(bytes, error)
        }
        if let header = members.header {
            self = .header(header)
        } else if let head = members.chapter {
            self = .chapter(head)
        } else if let spec = members.spec, let digest = members.digest {
            self = .spec(digest: digest, spec)
        } else if let decision = members.decision, let sum = members.sum {
            self = .decision(decision, sum: sum)
        } else if let end = members.end {
            self = .end(end)
        } else {
            throw ReplayError(
                code: .unreadable,
                message: "it is no line of an export: make the file with `controller history --export`"
            )
        }
    }

    private static func unreadable(_ bytes: [UInt8], _ error: any Error) -> ReplayError {
        struct Version: Decodable {
            struct Core: Decodable { var core: String }
            var decision: Core
        }
        // Only to say more: what cannot be read as that either is no decision at all.
        let core = (try? CanonicalCoding.decode(Version.self, from: bytes))?.decision.core
        if let core, core != CoreVersion.current {
            return ReplayError(
                code: .otherVersion,
                message: "core \(core) recorded it in a form that core \(CoreVersion.current) does not know: replay it "
                    + "with the controller that recorded it"
            )
        }
        return ReplayError(
            code: .unreadable,
            message: "it is not JSON that this program wrote: the file is damaged or something else; export it anew "
                + "(\(error))"
        )
    }
}

/// Why decisions cannot be replayed. The message says what to do.
package struct ReplayError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        case unreadable, otherVersion, incomplete
        /// Changed after it was written.
        case altered
    }

    package var code: Code
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}

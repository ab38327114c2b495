import Decisions
import Deployments
import Foundation

/// Writes recorded decisions into a file that `controller replay` reads on any machine. One chapter at a time, so that
/// memory stays bounded however long the history is.
struct DecisionExport {
    let deployment: DeploymentID?
    let exported: Date
    let source: Console.ChapterSource

    /// - Returns: How many decisions were written.
    /// - Throws: A `CommandFailure`, and what `source` and `write` throw.
    func write(_ write: ([UInt8]) throws -> Void) async throws -> Int {
        let now = Timestamp(milliseconds: Int64((self.exported.timeIntervalSince1970 * 1000).rounded()))
        try write(try DecisionLine.bytes(of: DecisionLine.Header(exported: now, deployment: self.deployment)))
        var (last, count): (Int64, Int) = (0, 0)
        while let lines = try await self.source(last) {
            guard let end = lines.firstIndex(of: UInt8(ascii: "\n")),
                case .chapter(let head) = try DecisionLine(reading: Array(lines[..<end])), head.number > last
            else {
                throw CommandFailure(
                    code: .refused,
                    message: "the decisions after \(last) came in a form that this program does not know: use the "
                        + "client that came with the daemon"
                )
            }
            try write(lines)
            last = head.number
            count += head.decisions
        }
        try write(try DecisionLine.bytes(of: DecisionLine.End(decisions: count)))
        return count
    }

    /// Writes a file: under another name until it is whole, so that no half export passes for one.
    func write(file path: String) async throws -> Int {
        let partial = path + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: partial)
        else {
            throw CommandFailure(
                code: .usage,
                message: "\(partial) cannot be made: check that its folder exists and that you may write into it"
            )
        }
        do {
            let count = try await self.write { try file.write(contentsOf: $0) }
            try file.close()
            guard rename(partial, path) == 0 else {
                throw CommandFailure(
                    code: .usage,
                    message: "\(path) cannot be written: \(String(cString: strerror(errno)))"
                )
            }
            return count
        } catch {
            unlink(partial)
            throw error
        }
    }
}

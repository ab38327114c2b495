import Audits
import ControllerAPI
import ControllerCommands
import ControllerServer
import Persistence

extension AuditReading {
    /// - Throws: A `CommandFailure` when there is no such file, or it is no audit.
    init(file path: String) throws {
        let file: AuditFile
        do throws(AuditError) {
            file = try AuditFile(path: path)
        } catch {
            throw CommandFailure(code: .usage, message: error.message)
        }
        self.init(
            entries: { filter in
                try Self.reading { () throws(AuditError) in try file.entries(AuditQuery(filter)) }
                    .map { AuditStatus($0) }
            },
            check: { after, expected in
                let part = AuditPart(after: try Self.place(after), expected: try Self.place(expected))
                return AuditCheckStatus(try Self.reading { () throws(AuditError) in try file.check(part) })
            }
        )
    }

    private static func reading<Value>(_ work: () throws(AuditError) -> Value) throws -> Value {
        do throws(AuditError) {
            return try work()
        } catch {
            throw CommandFailure(code: .refused, message: error.message)
        }
    }

    private static func place(_ text: String?) throws -> AuditPlace? {
        guard let text else { return nil }
        guard let place = AuditPlace(text) else {
            throw CommandFailure(
                code: .usage,
                message: "\(text) is no place of an audit: it is an entry's number, a colon and its hash, as "
                    + "`controller audit head` prints them"
            )
        }
        return place
    }
}

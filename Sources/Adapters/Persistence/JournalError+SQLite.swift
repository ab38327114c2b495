import GRDB
import Reconciliation

extension JournalError {
    /// What the database said of the file at `path`, and what to do.
    init(_ error: any Error, _ path: String) {
        guard let database = error as? DatabaseError else {
            self.init(code: .unavailable, message: "\(path): \(error)")
            return
        }
        switch database.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR:
            self.init(
                code: .diskFull,
                message: "\(path) cannot be written (\(database)): free some disk space"
            )
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(code: .corrupt, message: "\(path) is damaged: move it away and restore a backup")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            self.init(
                code: .unavailable,
                message: "\(path) cannot be opened for writing: check that its folder exists and who owns it"
            )
        default:
            self.init(code: .unavailable, message: "\(path): \(database)")
        }
    }
}

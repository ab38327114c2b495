package import Audits
import Foundation
import Reconciliation

/// An audit in one file of its own, as ``JournalBackup`` makes one of a journal.
package enum AuditBackup {
    /// Copies the audit at `path` into `file`, which must not be there yet, and walks the copy's chain.
    ///
    /// - Returns: What the walk found. A chain that is broken is copied all the same: it is evidence.
    /// - Throws: An `AuditError` when there is no audit, or the copy cannot be made.
    package static func write(from path: String, to file: String) throws(AuditError) -> AuditProgress {
        do throws(JournalError) {
            return try JournalBackup.write(from: path, to: file) { draft throws(JournalError) in
                do throws(AuditError) {
                    return try AuditFile(path: draft).check()
                } catch {
                    throw JournalError(code: .corrupt, message: error.message)
                }
            }
        } catch {
            throw AuditError(error, path)
        }
    }
}

package import Deployments
import Foundation
import GRDB
package import Reconciliation

/// A journal's file, only to be read: a copy, or that of a controller which does not run.
package struct JournalFile: Sendable {
    private let queue: DatabaseQueue

    /// - Throws: A `JournalError` when it is no journal, or one without decisions.
    package init(path: String) throws(JournalError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw JournalError(code: .unavailable, message: "there is no file \(path)")
        }
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            self.queue = try DatabaseQueue(path: path, configuration: configuration)
            guard try self.queue.read({ try $0.tableExists("decision") }) else {
                throw JournalError(
                    code: .unavailable,
                    message: "\(path) holds no decisions: an older controller wrote it, or it is another program's"
                )
            }
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(error, path)
        }
    }

    /// As ``SQLiteJournal/chapter(after:of:)``.
    package func chapter(
        after number: Int64,
        of deployment: DeploymentID?
    ) async throws(JournalError) -> DecisionChapter? {
        do {
            return try await self.queue.read { try DecisionTable.chapter(after: number, of: deployment, in: $0) }
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(error, self.queue.path)
        }
    }
}

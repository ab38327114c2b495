import Audits
import ControllerAPI
import Deployments
import Foundation
import Logging
import Persistence
import SampleStatuses
import Synchronization

extension CommandFixture {
    var auditPath: String { self.folder.appending(path: "audit.sqlite").path }

    /// On disk, as the daemon's.
    func trail() -> AuditTrail {
        AuditTrail(
            store: SQLiteAudit(path: self.auditPath),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { Timestamp(milliseconds: Int64(Statuses.now.timeIntervalSince1970 * 1000)) }
        )
    }

    func begin(_ request: FreezeRequest) -> FreezeAnswer {
        self.fleet.withLock { fleet in
            let freeze = FreezeStatus(
                id: Int64(fleet.freezes?.count ?? 0) + 1,
                namespace: request.selection.namespace,
                labels: request.selection.labels,
                by: request.by,
                why: request.why,
                since: fleet.time,
                until: request.until
            )
            fleet.freezes = (fleet.freezes ?? []) + [freeze]
            let message = "freeze \(freeze.id): \(freeze.selection)"
            return FreezeAnswer(accepted: true, changed: true, message: message, freeze: freeze)
        }
    }

    func end(_ number: Int64) -> FreezeAnswer {
        self.fleet.withLock { fleet in
            let isThere = fleet.freezes?.contains { $0.id == number } ?? false
            fleet.freezes?.removeAll { $0.id == number }
            let message = isThere ? "freeze \(number) has ended" : "there is no freeze \(number)"
            return FreezeAnswer(accepted: isThere, changed: isThere, message: message)
        }
    }
}

import Audits
import ControllerCommands
import Deployments
import Foundation
import Logging
import Persistence

extension AuditTrail {
    convenience init(configuration: Configuration, logger: Logger) {
        self.init(
            store: SQLiteAudit(
                path: "\(configuration.stateDirectory)/audit.sqlite",
                retention: AuditRetention(keep: configuration.audit.keep, maxSize: configuration.audit.maxSize)
            ),
            logger: logger,
            now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
        )
    }
}

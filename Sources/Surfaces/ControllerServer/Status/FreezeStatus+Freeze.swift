package import ControllerAPI
import Foundation
package import Reconciliation

extension FreezeStatus {
    package init(_ freeze: OperatorFreeze) {
        self.init(
            id: freeze.number,
            namespace: freeze.namespace,
            labels: freeze.labels.isEmpty ? nil : freeze.labels,
            by: freeze.by,
            why: freeze.why,
            since: Date(freeze.since),
            until: Date(freeze.until)
        )
    }
}

package import ControllerAPI
package import Reconciliation
import Synchronization

/// Keeps the view of the newest snapshot, so that all who read it share what was worked out.
package final class NewestView: Sendable {
    private let newest = Mutex<FleetView?>(nil)

    package init() {}

    /// - Returns: The same as before, as long as nothing is new.
    package func view(
        of snapshot: FleetSnapshot,
        deliveries: WebhookLedger?,
        configuration: ConfigurationStatus? = nil
    ) -> FleetView {
        let version = FleetView.version(snapshot, deliveries)
        // The one before is handed out, and so not taken apart while others wait for the lock.
        let (view, _) = self.newest.withLock { newest -> (FleetView, FleetView?) in
            // Of two that ask at once, one may have been overtaken by a newer snapshot.
            if let newest, newest.version >= version { return (newest, nil) }
            let view = FleetView(snapshot, deliveries: deliveries, configuration: configuration)
            defer { newest = view }
            return (view, newest)
        }
        return view
    }
}

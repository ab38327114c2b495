package import ControllerAPI
package import Deployments
package import Reconciliation
import ServiceLifecycle
import Synchronization

/// Looks at the snapshots all the time and keeps what the gates measured, for the page and the API.
package final class SeriesRecorder: Service {
    private let book = Mutex(SeriesBook())
    private let fleet: @Sendable () -> FleetSnapshot

    /// - Parameter fleet: The newest snapshot.
    package init(fleet: @escaping @Sendable () -> FleetSnapshot) {
        self.fleet = fleet
    }

    /// Looks until the service group shuts down or the task is cancelled.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var last: Timestamp?
            while !Task.isCancelled {
                let fleet = self.fleet()
                if fleet.time != last { self.book.withLock { $0.add(fleet) } }
                last = fleet.time
                // Ends the loop when it is cancelled.
                do { try await Task.sleep(for: SeriesBook.firstPause) } catch { return }
            }
        }
    }

    package func series(of id: DeploymentID) -> SeriesStatus? {
        self.book.withLock { $0[id] }
    }
}

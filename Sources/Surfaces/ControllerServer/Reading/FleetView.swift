package import ControllerAPI
package import Deployments
package import Foundation
package import Reconciliation
import Synchronization

/// What readers are shown of the fleet at one moment. Nothing of it is worked out before somebody asks.
package final class FleetView: Sendable {
    /// Differs whenever anything that is shown does.
    package let version: UInt64
    /// When the snapshot was taken.
    package let time: Date
    private let content: Content
    private let configuration: ConfigurationStatus?
    private let sorted = Mutex<[DeploymentID]?>(nil)

    private enum Content: Sendable {
        case snapshot(FleetSnapshot, WebhookLedger?)
        case status(FleetStatus, [DeploymentID: Int])
    }

    /// - Parameters:
    ///   - snapshot: What the engine shows.
    ///   - deliveries: What came to webhooks, which no snapshot knows.
    ///   - configuration: Which one is in effect, which no snapshot knows either.
    package init(
        _ snapshot: FleetSnapshot,
        deliveries: WebhookLedger? = nil,
        configuration: ConfigurationStatus? = nil
    ) {
        // Both rise, so that equal sums are of equal parts. What is delivered while the view is read shows early.
        self.version = Self.version(snapshot, deliveries)
        self.time = Date(snapshot.time)
        self.content = .snapshot(snapshot, deliveries)
        self.configuration = configuration
    }

    /// A fleet that is known in the long form only.
    package init(_ status: FleetStatus) {
        self.version = UInt64(bitPattern: Int64(status.hashValue))
        self.time = status.time
        let places = status.deployments.enumerated().map {
            (DeploymentID(namespace: $1.namespace, name: $1.name), $0)
        }
        self.content = .status(status, Dictionary(places, uniquingKeysWith: { first, _ in first }))
        self.configuration = status.configuration
    }

    /// The version of a view that would be made now.
    package static func version(_ snapshot: FleetSnapshot, _ deliveries: WebhookLedger?) -> UInt64 {
        snapshot.version + (deliveries?.changes ?? 0)
    }

    /// All names, sorted.
    package var names: [DeploymentID] {
        self.sorted.withLock { sorted in
            if let sorted { return sorted }
            let names = self.findNames()
            sorted = names
            return names
        }
    }

    /// All names, as the whole fleet is listed.
    var order: [DeploymentID] {
        switch self.content {
        case .status(let fleet, _):
            fleet.deployments.map { DeploymentID(namespace: $0.namespace, name: $0.name) }
        case .snapshot: self.names
        }
    }

    private func findNames() -> [DeploymentID] {
        switch self.content {
        case .status(_, let places): places.keys.sorted()
        case .snapshot(let snapshot, _): snapshot.names ?? snapshot.deployments.keys.sorted()
        }
    }

    package func contains(_ id: DeploymentID) -> Bool {
        switch self.content {
        case .status(_, let places): places[id] != nil
        case .snapshot(let snapshot, _): snapshot.deployments[id] != nil
        }
    }

    package func deployment(_ id: DeploymentID) -> DeploymentStatus? {
        switch self.content {
        case .status(let fleet, let places): return places[id].map { fleet.deployments[$0] }
        case .snapshot(let snapshot, let deliveries):
            var status = DeploymentStatus(id, in: snapshot)
            if let deliveries { status?.add(deliveries, at: self.time) }
            return status
        }
    }

    package func summary(_ id: DeploymentID) -> DeploymentSummary? {
        switch self.content {
        case .status(let fleet, let places): places[id].map { DeploymentSummary(fleet.deployments[$0]) }
        case .snapshot(let snapshot, _): snapshot.deployments[id].map { DeploymentSummary($0, in: snapshot) }
        }
    }

    /// - Returns: Nothing when there is no such deployment, or only its long form is known.
    func plan(_ id: DeploymentID) -> PlanStatus? {
        switch self.content {
        case .status: nil
        case .snapshot(let snapshot, _): snapshot.deployments[id].map { PlanStatus($0, at: snapshot.time) }
        }
    }

    // MARK: - What deployments are chosen by: each takes far less than a summary

    func phase(of id: DeploymentID) -> String? {
        switch self.content {
        case .status(let fleet, let places): places[id].map { fleet.deployments[$0].phase }
        case .snapshot(let snapshot, _): snapshot.deployments[id]?.rollout.phaseName
        }
    }

    func health(of id: DeploymentID) -> DeploymentStatus.Health? {
        switch self.content {
        case .status(let fleet, let places): places[id].map { fleet.deployments[$0].health }
        case .snapshot(let snapshot, _):
            snapshot.deployments[id].map { DeploymentStatus.health(of: $0, in: snapshot) }
        }
    }

    /// The long form has none.
    func labels(of id: DeploymentID) -> [String: String] {
        switch self.content {
        case .status: [:]
        case .snapshot(let snapshot, _): snapshot.deployments[id]?.rollout.labels ?? [:]
        }
    }

    /// The fleet without its deployments.
    package var frame: FleetStatus {
        switch self.content {
        case .status(let fleet, _):
            var frame = fleet
            frame.deployments = []
            return frame
        case .snapshot(let snapshot, let deliveries):
            var fleet = FleetStatus(frameOf: snapshot)
            if let deliveries { fleet.add(deliveries) }
            fleet.configuration = self.configuration
            return fleet
        }
    }
}

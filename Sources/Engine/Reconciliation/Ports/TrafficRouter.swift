package import Deployments

/// What splits the requests.
package protocol TrafficRouter: Sendable {
    /// Makes the router's configuration be `table`, in an order in which no request is lost: new backends first,
    /// then weights, then what is no longer named. Quick: whether the router took it shows in ``observe()``.
    func apply(_ table: RoutingTable) async throws(PlatformError)

    /// What the router does now, and its counters, read at one instant.
    func observe() async throws(PlatformError) -> RouterObservation
}

/// How all traffic is to be split.
package struct RoutingTable: Hashable, Codable, Sendable {
    package var deployments: [DeploymentID: Entry]

    package init(deployments: [DeploymentID: Entry] = [:]) {
        self.deployments = deployments
    }

    package struct Entry: Hashable, Codable, Sendable {
        package var route: Route
        /// The backends of every revision that has any, those without weight too, so that they are warm.
        package var backends: [Revision: [Backend]]
        /// Empty until a revision may serve; what it names always has backends.
        package var traffic: Traffic
        /// Listed first among weighted clusters, so that a growing weight moves no user off it.
        package var canary: Revision?

        package init(
            route: Route,
            backends: [Revision: [Backend]],
            traffic: Traffic,
            canary: Revision? = nil
        ) {
            self.route = route
            self.backends = backends
            self.traffic = traffic
            self.canary = canary
        }
    }

    package struct Backend: Hashable, Codable, Sendable {
        package var endpoint: Endpoint
        package var isDraining: Bool

        package init(endpoint: Endpoint, isDraining: Bool = false) {
            self.endpoint = endpoint
            self.isDraining = isDraining
        }
    }
}

package struct RouterObservation: Hashable, Codable, Sendable {
    package var time: Timestamp
    package var states: [DeploymentID: RouterState]
    package var samples: [DeploymentID: Sample]

    package init(time: Timestamp, states: [DeploymentID: RouterState], samples: [DeploymentID: Sample]) {
        self.time = time
        self.states = states
        self.samples = samples
    }
}

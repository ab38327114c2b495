package import Foundation

/// One deployment in a line: small enough to list and to watch ten thousand of them.
package struct DeploymentSummary: Codable, Hashable, Sendable {
    package var namespace: String
    package var name: String
    /// As in a ``DeploymentStatus``.
    package var phase: String
    package var health: DeploymentStatus.Health
    package var message: String
    /// When the phase began.
    package var since: Date
    /// The kinds of what stops progress.
    package var holds: [String]
    /// Those of the manifest; nothing in place of none.
    package var labels: [String: String]?
    package var stable: Revision?
    package var canary: Revision?

    package struct Revision: Codable, Hashable, Sendable {
        /// The whole digest.
        package var revision: String
        package var modelName: String
        package var modelVersion: String
        /// Percent of traffic that the router serves it; nothing when that is not known.
        package var weight: Int?

        package init(revision: String, modelName: String, modelVersion: String, weight: Int? = nil) {
            self.revision = revision
            self.modelName = modelName
            self.modelVersion = modelVersion
            self.weight = weight
        }
    }

    package init(
        namespace: String,
        name: String,
        phase: String,
        health: DeploymentStatus.Health,
        message: String,
        since: Date
    ) {
        self.namespace = namespace
        self.name = name
        self.phase = phase
        self.health = health
        self.message = message
        self.since = since
        self.holds = []
    }

    /// The short form of the long one, without labels, which that does not have.
    package init(_ status: DeploymentStatus) {
        self.init(
            namespace: status.namespace,
            name: status.name,
            phase: status.phase,
            health: status.health,
            message: status.message,
            since: status.since
        )
        self.holds = status.holds.map(\.kind)
        self.stable = status.stable.map(Revision.init)
        self.canary = status.canary.map(Revision.init)
    }
}

extension DeploymentSummary.Revision {
    fileprivate init(_ status: RevisionStatus) {
        self.init(
            revision: status.revision,
            modelName: status.modelName,
            modelVersion: status.modelVersion,
            weight: status.weight
        )
    }
}

/// Some of the fleet, by name.
package struct DeploymentPage: Codable, Hashable, Sendable {
    /// When the snapshot was taken.
    package var time: Date
    package var deployments: [DeploymentSummary]
    /// Where to go on, as `after`; nothing at the end.
    package var next: String?

    package init(time: Date, deployments: [DeploymentSummary], next: String? = nil) {
        self.time = time
        self.deployments = deployments
        self.next = next
    }
}

package import Deployments
package import Planning

/// What the platform was told of replicas since it was looked at.
///
/// A look shows replicas as they were. Who decides on it again, or on one that arrives late, may choose others to stop
/// than before, or start more: each decision by itself is right, the two together are not. So a look is read with what
/// was told since it was taken.
package struct ToldReplicas: Sendable {
    private var told: [ReplicaID: Told] = [:]

    private struct Told: Sendable {
        var effect: Effect
        var since: Timestamp
        /// It was started since the look, and so is not in it.
        var isNew: Bool
    }

    package init() {}

    package mutating func note(_ effect: Effect, at time: Timestamp) {
        switch effect {
        case .start(let id):
            self.told[id] = Told(effect: effect, since: time, isNew: true)
        case .drain(let id), .undrain(let id), .stop(let id):
            self.told[id] = Told(effect: effect, since: time, isNew: self.told[id]?.isNew ?? false)
        case .route, .fetch:
            break
        }
    }

    /// What was told before a look was taken shows in it.
    package mutating func forget(before time: Timestamp) {
        if self.told.isEmpty { return }
        self.told = self.told.filter { $0.value.since >= time }
    }

    /// - Parameters:
    ///   - replicas: As they were seen.
    ///   - deployment: Whose they are; nothing when they are all there are.
    /// - Returns: As they are once what was told since is done.
    package func applied(to replicas: [Replica], of deployment: DeploymentID? = nil) -> [Replica] {
        if self.told.isEmpty { return replicas }
        var started = self.told.filter { id, told in
            told.isNew && (deployment == nil || deployment == id.deployment)
        }
        var result = replicas.map { replica in
            started[replica.id] = nil
            guard let told = self.told[replica.id] else { return replica }
            return Self.changed(replica, by: told)
        }
        result += started.sorted { $0.key < $1.key }.map { id, told in
            Self.changed(Replica(id: id, state: .starting), by: told)
        }
        return result
    }

    private static func changed(_ replica: Replica, by told: Told) -> Replica {
        var replica = replica
        switch (told.effect, replica.state) {
        case (.stop, _):
            replica.state = .stopping
        // That a ready one is drained is seen, not assumed. One that was not ready then may have been since.
        case (.drain, .starting), (.drain, .backingOff), (.drain, .failed):
            replica.state = .draining(since: told.since)
        // It may have been had back in between.
        case (.drain, .draining(let since)) where since < told.since:
            replica.state = .draining(since: told.since)
        // It was ready when it began to drain, and must not be stopped as one that has done so long enough.
        case (.undrain, .draining):
            replica.state = .ready
        default:
            break
        }
        return replica
    }
}

package import Deployments
package import Planning

/// What the platform was told of replicas since it was looked at.
///
/// A look shows replicas as they were. Who decides on it again, or on one that arrives late, may choose others to stop
/// than before, or start more: each decision by itself is right, the two together are not. So a look is read with what
/// was told since it was taken.
package struct ToldReplicas: Sendable {
    /// By deployment, as that is how it is asked for: thousands may be started at once.
    private var told: [DeploymentID: [ReplicaID: Told]] = [:]

    private struct Told: Sendable {
        var effect: Effect
        var since: Timestamp
        /// It was started since the look, and so is not in it.
        var isNew: Bool
        var isAnswered = true

        /// One that drains for all that is known has not drained long enough for anything.
        var drainingSince: Timestamp { self.isAnswered ? self.since : self.since + .hours(1) }
    }

    package init() {}

    package mutating func note(_ effect: Effect, at time: Timestamp) {
        switch effect {
        case .start(let id):
            self.told[id.deployment, default: [:]][id] = Told(effect: effect, since: time, isNew: true)
        case .drain(let id), .undrain(let id), .stop(let id):
            let isNew = self.told[id.deployment]?[id]?.isNew ?? false
            self.told[id.deployment, default: [:]][id] = Told(effect: effect, since: time, isNew: isNew)
        case .route, .fetch:
            break
        }
    }

    /// Notes what was told without an answer that it is done: it may be. So a replica that was to be stopped, drained
    /// or had back is not counted on, and is not stopped either, until a look shows what it does.
    package mutating func note(unanswered effect: Effect, at time: Timestamp) {
        switch effect {
        case .stop(let id):
            self.note(effect, at: time)
            self.told[id.deployment]?[id]?.isAnswered = false
        case .drain(let id), .undrain(let id):
            self.note(.drain(id), at: time)
            self.told[id.deployment]?[id]?.isAnswered = false
        case .start, .route, .fetch:
            break
        }
    }

    /// What was told before a look was taken shows in it.
    package mutating func forget(before time: Timestamp) {
        if self.told.isEmpty { return }
        self.told = self.told.compactMapValues { told in
            let rest = told.filter { $0.value.since >= time }
            return rest.isEmpty ? nil : rest
        }
    }

    /// - Parameter replicas: All that were seen.
    /// - Returns: As they are once what was told since is done.
    package func applied(to replicas: [Replica]) -> [Replica] {
        if self.told.isEmpty { return replicas }
        let all = self.told.values.reduce(into: [:]) { all, told in all.merge(told) { first, _ in first } }
        return Self.replicas(replicas, after: all)
    }

    /// The same, for the replicas of one deployment.
    package func applied(to replicas: [Replica], of deployment: DeploymentID) -> [Replica] {
        self.told[deployment].map { Self.replicas(replicas, after: $0) } ?? replicas
    }

    private static func replicas(_ replicas: [Replica], after told: [ReplicaID: Told]) -> [Replica] {
        var started = told.filter(\.value.isNew)
        var result = replicas.map { replica in
            started[replica.id] = nil
            return told[replica.id].map { Self.changed(replica, by: $0) } ?? replica
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
        // One that was not ready then may have been since.
        case (.drain, .ready), (.drain, .starting), (.drain, .backingOff), (.drain, .failed):
            replica.state = .draining(since: told.drainingSince)
        // It may have been had back in between.
        case (.drain, .draining(let since)) where since < told.since:
            replica.state = .draining(since: told.drainingSince)
        // It was ready when it began to drain, and must not be stopped as one that has done so long enough.
        case (.undrain, .draining):
            replica.state = .ready
        default:
            break
        }
        return replica
    }
}

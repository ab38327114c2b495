package import Deployments
package import Planning

/// What the platform was told of replicas, for looks that were taken before and arrive only after it.
///
/// A look that is late shows replicas as they were. Who decides on it again may choose others to stop than before, or
/// start more: each look by itself is right, the two effects together are not. So a look is read with what was told
/// since it was taken.
package struct ToldReplicas: Sendable {
    private var told: [ReplicaID: Told] = [:]

    private struct Told: Sendable {
        var effect: Effect
        var since: Timestamp
    }

    package init() {}

    package mutating func note(_ effect: Effect, at time: Timestamp) {
        switch effect {
        case .start(let id), .undrain(let id), .drain(let id), .stop(let id):
            self.told[id] = Told(effect: effect, since: time)
        case .route, .fetch:
            break
        }
    }

    /// - Parameters:
    ///   - replicas: As they were seen.
    ///   - time: When the look was taken; what was told before it shows in it.
    /// - Returns: As they are once what was told since is done.
    package mutating func applied(to replicas: [Replica], seenAt time: Timestamp) -> [Replica] {
        if self.told.isEmpty { return replicas }
        self.told = self.told.filter { $0.value.since >= time }
        if self.told.isEmpty { return replicas }
        var started = self.told.filter { if case .start = $0.value.effect { true } else { false } }
        var result = replicas.map { replica in
            started[replica.id] = nil
            guard let told = self.told[replica.id] else { return replica }
            return Self.changed(replica, by: told)
        }
        result += started.keys.sorted().map { Replica(id: $0, state: .starting) }
        return result
    }

    private static func changed(_ replica: Replica, by told: Told) -> Replica {
        var replica = replica
        switch (told.effect, replica.state) {
        case (.stop, _): replica.state = .stopping
        case (.drain, .ready): replica.state = .draining(since: told.since)
        case (.undrain, .draining): replica.state = .ready
        default: break
        }
        return replica
    }
}

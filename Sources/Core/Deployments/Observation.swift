/// What was seen of one deployment, each part with its own time. A part that could not be read is unknown: never zero.
package struct Observation: Hashable, Codable, Sendable {
    package var artifacts: [Revision: ArtifactState]
    package var replicas: Reading<[Replica]>
    package var router: Reading<RouterState>

    package init(
        artifacts: [Revision: ArtifactState] = [:],
        replicas: Reading<[Replica]> = .unknown("not observed yet"),
        router: Reading<RouterState> = .unknown("not observed yet")
    ) {
        self.artifacts = artifacts
        self.replicas = replicas
        self.router = router
    }

    /// Both were seen again, at the times of these, and are as before.
    package mutating func renew<Replicas, Router>(as replicas: Reading<Replicas>, _ router: Reading<Router>) {
        self.replicas.renew(as: replicas)
        self.router.renew(as: router)
    }
}

/// A value with the time at which it was true, or the reason why it is not known.
///
/// Public, unlike the rest: what is generic and `package` is not specialised in another module, even when it is
/// `@inlinable` (Swift 6.3), and these are asked for many times in a decision.
public enum Reading<Value: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    case known(Value, at: Timestamp)
    case unknown(String)

    /// The value, unless it is unknown or older than `limit`.
    @inlinable @inline(__always) public func fresh(at now: Timestamp, within limit: Duration) -> Value? {
        guard case .known(let value, let time) = self, now - time <= limit else { return nil }
        return value
    }

    /// Whether it is known and not older than `limit`. Copies nothing, as ``fresh(at:within:)`` must.
    @inlinable @inline(__always) public func isFresh(at now: Timestamp, within limit: Duration) -> Bool {
        guard case .known(_, at: let time) = self else { return false }
        return now - time <= limit
    }

    /// The same value, seen again at the time of another reading. What is unknown stays so.
    @inlinable public mutating func renew<Other>(as reading: Reading<Other>) {
        guard case .known(_, at: let time) = reading, case .known(let value, _) = self else { return }
        self = .known(value, at: time)
    }

    /// The value however old it is, unless it is unknown.
    @inlinable @inline(__always) public var last: Value? {
        guard case .known(let value, _) = self else { return nil }
        return value
    }
}

package enum ArtifactState: Hashable, Codable, Sendable {
    case absent
    /// Bytes received, and the total if the server told it.
    case fetching(received: Int64, total: Int64?)
    /// On this machine, its digest verified.
    case ready(path: String, digest: String, pinned: PinnedVersion? = nil)
    /// A wrong digest, a missing file: trying again will not help.
    case failed(String)
    /// A lost server, a full disk: is being tried again.
    case retrying(String)
}

/// What an alias of a model registry meant when its artifact was fetched first, which is what it goes on to mean here.
package struct PinnedVersion: Hashable, Codable, Sendable {
    package var version: Int
    package var since: Timestamp

    package init(version: Int, since: Timestamp) {
        self.version = version
        self.since = since
    }
}

/// The name of one replica, unique on the platform: the deployment, its revision and a running number.
package struct ReplicaID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    package var deployment: DeploymentID
    package var revision: Revision
    package var ordinal: Int

    package init(deployment: DeploymentID, revision: Revision, ordinal: Int) {
        self.deployment = deployment
        self.revision = revision
        self.ordinal = ordinal
    }

    package var description: String {
        "\(self.deployment)-\(self.revision.short)-\(self.ordinal)"
    }

    package static func < (left: ReplicaID, right: ReplicaID) -> Bool {
        if left.deployment != right.deployment { return left.deployment < right.deployment }
        return left.revision == right.revision ? left.ordinal < right.ordinal : left.revision < right.revision
    }

    /// The revision is unique enough to tell replicas of different deployments apart most of the time.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.revision)
        hasher.combine(self.ordinal)
    }

    package func _rawHashValue(seed: Int) -> Int {
        self.revision._rawHashValue(seed: seed ^ self.ordinal)
    }
}

/// One running copy of a model server.
package struct Replica: Hashable, Codable, Sendable {
    package var id: ReplicaID
    package var state: State
    /// `127.0.0.1:19001`, once the replica has a port.
    package var endpoint: Endpoint?
    /// How often it was started again after it ended by itself.
    package var restarts: Int
    /// How its last run ended, for people: `exit code 1: INVALID_PROTOBUF`, `killed by SIGILL`.
    package var lastFailure: String?
    /// The model's own account of its inputs and outputs, in canonical JSON; unknown until ready.
    package var signature: String?

    package enum State: Hashable, Codable, Sendable {
        /// Its process runs, or is about to; it does not answer yet.
        case starting
        /// Its model answers, golden predictions included.
        case ready
        /// Gets no new requests; the time is when that began.
        case draining(since: Timestamp)
        /// Was told to end.
        case stopping
        /// Ended by itself; is started again at the time given.
        case backingOff(until: Timestamp)
        /// Can never become ready (a wrong golden answer, a program that does not exist).
        case failed
    }

    package init(
        id: ReplicaID,
        state: State,
        endpoint: Endpoint? = nil,
        restarts: Int = 0,
        lastFailure: String? = nil,
        signature: String? = nil
    ) {
        self.id = id
        self.state = state
        self.endpoint = endpoint
        self.restarts = restarts
        self.lastFailure = lastFailure
        self.signature = signature
    }

    package var isDraining: Bool {
        if case .draining = self.state { true } else { false }
    }
}

extension [Replica] {
    /// How many of `revision` are ready. Asked for many times in a decision: by index, as replicas that are handed to a
    /// closure are copied.
    package func ready(_ revision: Revision) -> Int {
        var count = 0
        for index in self.indices where self[index].id.revision == revision && self[index].state == .ready {
            count += 1
        }
        return count
    }
}

package struct Endpoint: Hashable, Codable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { "\(self.host):\(self.port)" }
}

/// What the router does for one deployment.
package struct RouterState: Hashable, Codable, Sendable {
    /// How it splits the requests, not what it was asked for: weights, matches and copies.
    package var traffic: Traffic
    /// Revisions whose cluster the router has accepted and that has a healthy endpoint.
    @SortedCoding package var warm: Set<Revision>
    /// Requests in flight per endpoint that the router still knows.
    package var activeRequests: [String: Int]
    /// Endpoints (`host:port`) that the router sends new requests to, or did not yet stop sending to.
    @SortedCoding package var serving: Set<String>
    /// Why the router refuses its last configuration, if it does.
    package var rejection: String?

    package init(
        traffic: Traffic = Traffic(),
        warm: Set<Revision> = [],
        activeRequests: [String: Int] = [:],
        serving: Set<String> = [],
        rejection: String? = nil
    ) {
        self.traffic = traffic
        self.warm = warm
        self.activeRequests = activeRequests
        self.serving = serving
        self.rejection = rejection
    }

    package var weights: [Revision: TrafficWeight] { self.traffic.weights }
}

import Deployments
import Reconciliation
import Synchronization

/// The world of the benchmark: every port answers at once from memory, so that what is timed is the fleet alone.
final class MemoryWorld: ServingPlatform, TrafficRouter, ArtifactStore, Journal {
    private struct State: Sendable {
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        var replicas: [ReplicaID: Replica] = [:] { didSet { self.look = nil } }
        /// All of them, sorted; nothing when that may have changed.
        var look: [Replica]?
        var table = RoutingTable()
        var counters: [Revision: TrackCounters] = [:]
        var records = 0
        var contents = JournalContents()
        /// Of which none is dropped: there are some thousand in a run.
        var events: [JournaledTransition] = []
    }

    private let state = Mutex(State())

    var now: Timestamp { self.state.withLock { $0.now } }
    /// How many decisions were journaled.
    var records: Int { self.state.withLock { $0.records } }

    func advance(by interval: Duration) {
        self.state.withLock { $0.now = $0.now + interval }
    }

    // MARK: - Platform

    func replicas() async throws(PlatformError) -> [Replica] {
        self.state.withLock { world in
            let look = world.look ?? world.replicas.values.sorted { $0.id < $1.id }
            world.look = look
            return look
        }
    }

    func start(_ id: ReplicaID, as launch: ReplicaLaunch) async throws(PlatformError) {
        self.state.withLock {
            let endpoint = Endpoint(host: "127.0.0.1", port: 1 + $0.replicas.count)
            $0.replicas[id] = Replica(id: id, state: .ready, endpoint: endpoint, signature: "{}")
        }
    }

    func drain(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { world in
            let now = world.now
            world.replicas[id]?.state = .draining(since: now)
        }
    }

    func undrain(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { $0.replicas[id]?.state = .ready }
    }

    func stop(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { $0.replicas[id] = nil }
    }

    // MARK: - Router

    func apply(_ table: RoutingTable) async throws(PlatformError) {
        self.state.withLock { $0.table = table }
    }

    /// Serves what it was told. Each revision with weight has answered 20 requests more, none of them in vain.
    func observe() async throws(PlatformError) -> RouterObservation {
        self.state.withLock { world in
            var states: [DeploymentID: RouterState] = [:]
            var samples: [DeploymentID: Sample] = [:]
            for (id, entry) in world.table.deployments {
                var tracks: [Revision: TrackCounters] = [:]
                for revision in entry.backends.keys {
                    var counters = world.counters[revision] ?? TrackCounters(latency: Self.noAnswers)
                    if entry.traffic[revision] > .none { Self.answer(&counters) }
                    world.counters[revision] = counters
                    tracks[revision] = counters
                }
                states[id] = RouterState(
                    traffic: entry.traffic,
                    warm: Set(entry.backends.keys),
                    serving: Set(entry.backends.values.joined().map(\.endpoint.description))
                )
                samples[id] = Sample(time: world.now, tracks: tracks)
            }
            return RouterObservation(time: world.now, states: states, samples: samples)
        }
    }

    private static let bounds: [Double] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000]
    private static let noAnswers = LatencyHistogram(bounds: bounds, counts: [Int64](repeating: 0, count: bounds.count))

    private static func answer(_ counters: inout TrackCounters) {
        counters.requests += 20
        counters.latency.total += 20
        for index in counters.latency.counts.indices where Self.bounds[index] >= 25 {
            counters.latency.counts[index] += 20
        }
    }

    // MARK: - Artifacts and journal

    func state(of model: Model) async -> ArtifactState {
        .ready(path: "/models", digest: "sha256:0")
    }

    func fetch(_ model: Model) async {}
    func retain(_ models: [Model]) async {}

    func load() async throws(JournalError) -> JournalContents { self.state.withLock { $0.contents } }

    func append(_ record: JournalRecord) async throws(JournalError) {
        self.state.withLock { world in
            world.records += 1
            world.events += record.transitions.map {
                JournaledTransition(deployment: record.deployment, transition: $0)
            }
        }
    }

    /// What a fleet that goes on from here finds.
    func remember(_ contents: JournalContents) {
        self.state.withLock { world in
            world.contents = contents
            world.events = []
        }
    }

    /// As `SQLiteJournal` has it.
    func events(after number: Int64?, in namespace: String?, limit: Int) -> [(
        number: Int64, event: JournaledTransition
    )] {
        let events = self.state.withLock { $0.events }
        let first = number.map { min(Int($0), events.count) } ?? max(0, events.count - limit)
        let numbered = events.enumerated().dropFirst(first).lazy.filter {
            namespace == nil || $0.element.deployment.namespace == namespace
        }
        return numbered.prefix(limit).map { (Int64($0.offset + 1), $0.element) }
    }

    func settle(_ item: OutboxItem) async throws(JournalError) {}

    func history(of deployment: DeploymentID?, limit: Int) async throws(JournalError) -> [JournaledTransition] { [] }
    func chapter(after number: Int64, of deployment: DeploymentID?) async throws(JournalError) -> DecisionChapter? {
        nil
    }
}

/// A repository whose commits are made by the benchmark.
struct MemorySource: ManifestSource {
    var name: String { "models" }
    func poll() async throws(SourceError) -> SourceSnapshot? { nil }
    func annotate(commit: String, key: String, note: String) async throws(SourceError) {}

    func revert(_ revert: ManifestRevert, of deployment: DeploymentID) async throws(SourceError) -> RevertResult {
        RevertResult("")
    }
    func acknowledge(commit: String) async throws(SourceError) {}
}

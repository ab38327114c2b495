import Deployments
import Manifests
import Reconciliation
import Rollouts
import Synchronization

/// A world in memory behind the engine's ports: replicas are ready at once, the router obeys at once.
final class InMemoryWorld: ServingPlatform, TrafficRouter, ArtifactStore, Journal, ManifestSource {
    struct State {
        var replicas: [ReplicaID: Replica] = [:]
        var traffic: [DeploymentID: Traffic] = [:]
        var tables: [RoutingTable] = []
        var counters: [Revision: TrackCounters] = [:]
        var contents = JournalContents()
        var records: [JournalRecord] = []
        var journalFails = false
        var platformFails = false
        var routerFails = false
        var snapshot: SourceSnapshot?
        var polls = 0
        var failingPolls = 0
        /// No poll is answered before its end.
        var silence: AsyncStream<Void>?
        var answeredPolls = 0
        /// Once, when a poll has looked and is not answered yet.
        var inPoll: (@Sendable () -> Void)?
        var notes: [String] = []
        var failingNotes = 0
        var failingReverts = 0
        var errors: Set<Revision> = []
    }

    let state = Mutex(State())
    let name = "models"

    /// The head of the branch, its manifests read.
    var commit: DesiredCommit? {
        self.state.withLock { $0.snapshot }.map { snapshot in
            DesiredCommit(
                origin: snapshot.origin,
                state: ManifestReader().read(snapshot.files, origin: snapshot.origin),
                rewroteHistory: snapshot.rewroteHistory
            )
        }
    }

    // MARK: Platform

    func replicas() async throws(PlatformError) -> [Replica] {
        if self.state.withLock({ $0.platformFails }) {
            throw PlatformError(code: .notObservable, message: "out of sight", recovery: .retry)
        }
        return self.state.withLock { Array($0.replicas.values) }
    }

    func start(_ id: ReplicaID, as launch: ReplicaLaunch) async throws(PlatformError) {
        let endpoint = Endpoint(host: id.revision.short, port: 1 + id.ordinal)
        self.state.withLock { $0.replicas[id] = Replica(id: id, state: .ready, endpoint: endpoint) }
    }

    func drain(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { $0.replicas[id]?.state = .draining(since: Timestamp(milliseconds: 0)) }
    }

    func undrain(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { $0.replicas[id]?.state = .ready }
    }

    func stop(_ id: ReplicaID) async throws(PlatformError) {
        self.state.withLock { $0.replicas[id] = nil }
    }

    // MARK: Router

    func apply(_ table: RoutingTable) async throws(PlatformError) {
        self.state.withLock { state in
            state.tables.append(table)
            state.traffic = table.deployments.mapValues(\.traffic)
        }
    }

    func observe() async throws(PlatformError) -> RouterObservation {
        if self.state.withLock({ $0.routerFails }) {
            throw PlatformError(code: .routerUnreachable, message: "out of sight", recovery: .retry)
        }
        return self.state.withLock { state in
            let time = Self.now()
            var observation = RouterObservation(time: time, states: [:], samples: [:])
            for (id, traffic) in state.traffic {
                for (revision, weight) in traffic.weights {
                    let requests = Int64(weight.percent) * 10
                    state.counters[revision, default: TrackCounters()].requests += requests
                    if state.errors.contains(revision) {
                        state.counters[revision, default: TrackCounters()].serverErrors += requests
                    }
                }
                let own = state.replicas.values.filter { $0.id.deployment == id && $0.state == .ready }
                observation.states[id] = RouterState(traffic: traffic, warm: Set(own.map(\.id.revision)))
                observation.samples[id] = Sample(time: time, tracks: state.counters)
            }
            return observation
        }
    }

    // MARK: Artifacts

    func state(of model: Model) async -> ArtifactState { .ready(path: "/m", digest: "sha256:0") }
    func fetch(_ model: Model) async {}
    func retain(_ models: [Model]) async {}

    // MARK: Journal

    func load() async throws(JournalError) -> JournalContents {
        self.state.withLock { $0.contents }
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        let fails = self.state.withLock { state in
            if state.journalFails { return true }
            state.records.append(record)
            state.contents.members[record.deployment] = record.member
            state.contents.outbox += record.outbox
            return false
        }
        if fails { throw JournalError(code: .diskFull, message: "the disk is full") }
    }

    func history(of deployment: DeploymentID?, limit: Int) async throws(JournalError) -> [JournaledTransition] { [] }

    func chapter(after number: Int64, of deployment: DeploymentID?) async throws(JournalError) -> DecisionChapter? {
        nil
    }

    func settle(_ item: OutboxItem) async throws(JournalError) {
        self.state.withLock { state in state.contents.outbox.removeAll { $0 == item } }
    }

    // MARK: Git

    func poll() async throws(SourceError) -> SourceSnapshot? {
        if let silence = self.state.withLock({ $0.silence }) {
            for await _ in silence {}
        }
        self.state.withLock { $0.answeredPolls += 1 }
        let (snapshot, inPoll, fails) = self.state.withLock { state in
            state.polls += 1
            let fails = state.failingPolls > 0
            if fails { state.failingPolls -= 1 }
            defer { (state.snapshot, state.inPoll) = (fails ? state.snapshot : nil, nil) }
            return (state.snapshot, state.inPoll, fails)
        }
        inPoll?()
        if fails { throw SourceError(code: .unreachable, message: "no answer", recovery: .retry) }
        return snapshot
    }

    func acknowledge(commit: String) async throws(SourceError) {}

    func annotate(commit: String, key: String, note: String) async throws(SourceError) {
        let fails = self.state.withLock { state in
            if state.failingNotes > 0 {
                state.failingNotes -= 1
                return true
            }
            state.notes.append("\(commit.prefix(3)) \(key) \(note)")
            return false
        }
        if fails { throw SourceError(code: .unreachable, message: "no answer", recovery: .retry) }
    }

    func revert(_ revert: ManifestRevert, of deployment: DeploymentID) async throws(SourceError) -> RevertResult {
        let fails = self.state.withLock { state in
            if state.failingReverts > 0 {
                state.failingReverts -= 1
                return true
            }
            state.notes.append("\(revert.failed.commit.prefix(3)) \(deployment) reverted, \(revert.mode.rawValue)")
            return false
        }
        if fails { throw SourceError(code: .refused, message: "main is protected", recovery: .retry) }
        let isProposed = revert.mode == .pullRequest
        return RevertResult("branch x reverts it", proposed: isProposed ? "x" : nil, base: "main")
    }

    // MARK: -

    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64((ContinuousClock.now - Self.origin) / .milliseconds(1)))
    }

    private static let origin = ContinuousClock.now - .seconds(1_000_000)
}

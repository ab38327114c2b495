import Decisions
import Deployments
import Manifests
import Planning
import Reconciliation
import Rollouts
import Synchronization

/// The engine's ports over one shared truth. Every call may fail, be lost on its way back or be the last that its
/// controller makes; none of them ever waits, so that the controller behind them runs the same way every time.
final class SimulatedPorts: Sendable {
    let truth: Mutex<Truth>
    private let heard = Mutex<[Decision]>([])

    init(_ truth: consuming Truth) {
        self.truth = Mutex(truth)
    }

    // MARK: - Listening in

    func hear(_ decision: Decision) {
        self.heard.withLock { $0.append(decision) }
    }

    func takeDecisions() -> [Decision] {
        self.heard.withLock { decisions in
            defer { decisions.removeAll(keepingCapacity: true) }
            return decisions
        }
    }

    // MARK: - Faults

    static let killed = PlatformError(code: .notObservable, message: "killed", recovery: .retry)

    /// Does something to the world, or not, or without saying so.
    private func act(_ call: Fault.Call, _ effect: (inout Truth) -> Void) throws(PlatformError) {
        try self.truth.withLock { truth throws(PlatformError) in
            if truth.isDead || truth.dies(.before, call) { throw Self.killed }
            if let seconds = truth.strike(.slowCall) { truth.now = truth.now + .seconds(seconds) }
            if truth.strike(.effectFails) != nil {
                throw PlatformError(code: .spawnFailed, message: "it could not be done", recovery: .retry)
            }
            effect(&truth)
            if truth.dies(.after, call) { throw Self.killed }
            if truth.strike(.effectAnswerLost) != nil {
                throw PlatformError(code: .spawnFailed, message: "no answer", recovery: .retry)
            }
        }
    }
}

extension SimulatedPorts: ServingPlatform {
    func replicas() async throws(PlatformError) -> [Replica] {
        try self.truth.withLock { truth throws(PlatformError) in
            if truth.isDead || truth.dies(.before, .look) { throw Self.killed }
            if truth.isGoingOn(.platformOutage) {
                throw PlatformError(code: .notObservable, message: "the platform is out of sight", recovery: .retry)
            }
            return truth.lookAtPlatform()
        }
    }

    func start(_ id: ReplicaID, as launch: ReplicaLaunch) async throws(PlatformError) {
        try self.act(.start) { $0.start(id) }
    }

    func drain(_ id: ReplicaID) async throws(PlatformError) {
        try self.act(.drain) { $0.drain(id) }
    }

    func undrain(_ id: ReplicaID) async throws(PlatformError) {
        try self.act(.undrain) { $0.undrain(id) }
    }

    func stop(_ id: ReplicaID) async throws(PlatformError) {
        try self.act(.stop) { $0.stop(id) }
    }
}

extension SimulatedPorts: TrafficRouter {
    func apply(_ table: RoutingTable) async throws(PlatformError) {
        self.truth.withLock { if !$0.isDead { $0.attempt(table) } }
        try self.act(.route) { truth in
            truth.checkTelling(table)
            truth.tell(table)
        }
    }

    func observe() async throws(PlatformError) -> RouterObservation {
        try self.truth.withLock { truth throws(PlatformError) in
            if truth.isDead || truth.dies(.after, .look) { throw Self.killed }
            if truth.isGoingOn(.routerOutage) {
                throw PlatformError(code: .routerUnreachable, message: "the router is out of sight", recovery: .retry)
            }
            return truth.lookAtRouter()
        }
    }
}

extension SimulatedPorts: ArtifactStore {
    func state(of model: Model) async -> ArtifactState {
        self.truth.withLock { $0.artifact(model.uri) }
    }

    func fetch(_ model: Model) async {
        // Its failures show in the state, not here.
        try? self.act(.fetch) { $0.fetch(model.uri) }
    }

    func retain(_ models: [Model]) async {}
}

extension SimulatedPorts: Journal {
    static func failure(_ message: String) -> JournalError { JournalError(code: .diskFull, message: message) }

    func load() async throws(JournalError) -> JournalContents {
        self.truth.withLock { truth in
            if truth.strike(.journalLost) != nil {
                truth.journal.lose()
                truth.promisedFreezes = []
                truth.checker.forgetAll()
            }
            return truth.journal.contents
        }
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        try self.truth.withLock { truth throws(JournalError) in
            if truth.isDead || truth.dies(.before, .append) { throw Self.failure("killed") }
            if truth.isGoingOn(.journalOutage) || truth.strike(.journalFails) != nil {
                truth.journal.failing.insert(record.deployment)
                truth.journal.doubt(record)
                throw Self.failure("the disk is full")
            }
            truth.check(record)
            truth.journal.append(record)
            if truth.dies(.after, .append) { throw Self.failure("killed") }
            if truth.strike(.journalAnswerLost) != nil {
                truth.journal.failing.insert(record.deployment)
                truth.journal.doubt(record)
                throw Self.failure("no answer")
            }
            truth.journal.failing.remove(record.deployment)
        }
    }

    func history(
        of deployment: DeploymentID?,
        limit: Int
    ) async throws(JournalError) -> [JournaledTransition] {
        self.truth.withLock { truth in
            truth.journal.transitions.filter { deployment == nil || $0.deployment == deployment }.suffix(limit)
        }
    }

    /// Replays have tests of their own.
    func chapter(after number: Int64, of deployment: DeploymentID?) async throws(JournalError) -> DecisionChapter? {
        nil
    }

    func settle(_ item: OutboxItem) async throws(JournalError) {
        try self.truth.withLock { truth throws(JournalError) in
            if truth.isDead || truth.dies(.before, .settle) { throw Self.failure("killed") }
            if truth.isGoingOn(.journalOutage) || truth.strike(.settleFails) != nil {
                throw Self.failure("the disk is full")
            }
            if !truth.journal.settle(item, wasTold: truth.notes.wasTold(item)) {
                truth.checker.report("outbox: settled before git was told", item.id)
            }
            if truth.dies(.after, .settle) { throw Self.failure("killed") }
        }
    }
}

extension SimulatedPorts: MetricProvider {
    var name: String { "prometheus" }

    /// The query is the short name of a revision, whose load is the answer, or one of ``Scrapes``.
    func reading(of query: String, at time: Timestamp) async -> MetricReading {
        self.truth.withLock { truth in
            if truth.isGoingOn(.providerOutage) { return MetricReading(.unavailable("no answer within 10s"), of: time) }
            if truth.isGoingOn(.providerSilence) { return MetricReading(.noData, of: time) }
            if truth.isGoingOn(.providerNonsense) { return MetricReading(.notANumber, of: time) }
            return truth.scrapes.reading(of: query, at: time) ?? MetricReading(.value(truth.load(of: query)), of: time)
        }
    }

    func histogram(of query: String, at time: Timestamp) async -> HistogramAnswer {
        .none(.refused("no histogram is simulated"))
    }
}

/// A watched repository, as one life of a controller sees it.
struct SimulatedSource: ManifestSource {
    let number: Int
    let ports: SimulatedPorts
    /// The version that the last poll returned.
    private let seen = Seen()

    private final class Seen: Sendable {
        let version = Mutex(0)
    }

    init(number: Int, ports: SimulatedPorts) {
        self.number = number
        self.ports = ports
    }

    var name: String { Scenario.sourceName(self.number) }

    func poll() async throws(SourceError) -> SourceSnapshot? {
        let result = self.ports.truth.withLock { truth -> Result<SourceSnapshot?, SourceError> in
            if truth.isDead || truth.dies(.before, .poll) {
                return .failure(SourceError(code: .unreachable, message: "killed", recovery: .retry))
            }
            let seen = self.seen.version.withLock { $0 }
            let result = truth.poll(self.number, after: seen)
            if case .success(.some) = result { self.seen.version.withLock { $0 = truth.git[self.number].version } }
            return truth.dies(.after, .poll)
                ? .failure(SourceError(code: .unreachable, message: "killed", recovery: .retry)) : result
        }
        return try result.get()
    }

    func annotate(commit: String, key: String, note: String) async throws(SourceError) {
        try self.ports.truth.withLock { truth throws(SourceError) in
            let failure = SourceError(code: .unreachable, message: "no answer", recovery: .retry)
            if truth.isDead || truth.dies(.before, .annotate) || truth.isGoingOn(.notesOutage) { throw failure }
            truth.annotate(NoteBook.Place(repository: self.name, commit: commit, key: key), note)
            if truth.dies(.after, .annotate) || truth.strike(.noteAnswerLost) != nil { throw failure }
        }
    }

    func revert(_ revert: ManifestRevert, of deployment: DeploymentID) async throws(SourceError) -> RevertResult {
        try self.ports.truth.withLock { truth throws(SourceError) in
            let failure = SourceError(code: .unreachable, message: "no answer", recovery: .retry)
            if truth.isDead || truth.dies(.before, .annotate) || truth.isGoingOn(.notesOutage) { throw failure }
            truth.revert(revert, of: deployment)
            if truth.dies(.after, .annotate) || truth.strike(.noteAnswerLost) != nil { throw failure }
        }
        return RevertResult("reverted")
    }

    func acknowledge(commit: String) async throws(SourceError) {
        try self.ports.truth.withLock { truth throws(SourceError) in
            let failure = SourceError(code: .unreachable, message: "the disk is full", recovery: .retry)
            // The clone may be on another disk than the journal.
            if truth.isDead || truth.isGoingOn(.notesOutage) { throw failure }
            if truth.git[self.number].head == commit { truth.git[self.number].isRewriteUnacknowledged = false }
        }
    }
}

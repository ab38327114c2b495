import Analysis
import Deployments
import Logging
import Manifests
import Planning
import Rollouts

/// All deployments, owned by the reconcile loop alone.
///
/// Every decision is made by the core on values; this type gathers those values, journals what was decided, and
/// applies the plan's effects through the ports.
struct Fleet {
    let reconciler: Reconciler
    var members: [DeploymentID: Member]
    var tracker: DesiredStateTracker
    var replicas: Reading<[Replica]> = .unknown("not looked at yet")
    var router: Reading<RouterObservation> = .unknown("not looked at yet")
    /// What rollouts take their burst factor and latency bound from. In memory only: a rollout keeps what it used.
    var baselines: [DeploymentID: StableHistory] = [:]
    /// The newest transitions per deployment, for display.
    var recent: [DeploymentID: [Transition]] = [:]
    var waits: [DeploymentID: [String]] = [:]
    var observations: [DeploymentID: Observation] = [:]
    var sources: [String: SourceState] = [:]
    /// What the router was last told without an error.
    var appliedTable: RoutingTable?
    var pendingQueries: Set<MetricJob> = []
    var journalProblem: String?
    var platformProblem: String?
    var routerProblem: String?
    let startedAt: Timestamp
    /// The repositories that were not looked at yet, unless the journal said what there is.
    var unreadSources: Set<String>

    static let recentLimit = 30
    /// Git that was not read for so long counts as lost, and progress waits: a rollout that git took back must not go
    /// on for long, and a hiccup of the network must not stop one.
    static let gitPatience: Duration = .minutes(2)

    init(reconciler: Reconciler, contents: JournalContents, recent: [DeploymentID: [Transition]]) {
        self.reconciler = reconciler
        self.recent = recent
        self.members = contents.members
        self.startedAt = reconciler.ports.now()
        self.unreadSources = contents.members.isEmpty ? Set(reconciler.ports.sources.map(\.port.name)) : []
        self.tracker = DesiredStateTracker(
            policies: Dictionary(
                reconciler.ports.sources.map { ($0.port.name, $0.deletion) },
                uniquingKeysWith: { first, _ in first }
            )
        )
        for member in contents.members.values {
            guard let repository = member.repository, let spec = member.rollout.desired else { continue }
            self.tracker.restore(spec, from: repository)
        }
        for source in reconciler.ports.sources {
            self.sources[source.port.name] = SourceState(
                repository: source.port.name,
                branch: source.branch,
                diagnostics: []
            )
        }
    }

    var now: Timestamp { self.reconciler.ports.now() }

    mutating func handle(_ event: Event) async {
        switch event {
        case .polled(let name, let result):
            self.take(result, from: name)
            await self.reconcileAll()
        case .platform(.success(let replicas), let time):
            let isNews = self.replicas.last != replicas
            self.replicas = .known(replicas, at: time)
            self.notePlatform(nil)
            if isNews { await self.reconcileAll() }
        case .platform(.failure(let error), _):
            if self.replicas.last == nil { self.replicas = .unknown(error.message) }
            self.notePlatform(error)
        case .router(.success(let observation), _):
            self.router = .known(observation, at: observation.time)
            self.noteRouter(nil)
            self.learnBaselines(from: observation)
            await self.reconcileAll(samples: observation.samples)
        case .router(.failure(let error), _):
            if self.router.last == nil { self.router = .unknown(error.message) }
            self.noteRouter(error)
            // Deadlines and drained replicas do not wait for the router.
            await self.reconcileAll()
        case .measured(let id, let measurement):
            self.pendingQueries = self.pendingQueries.filter { $0.deployment != id || $0.gate != measurement.gate }
            await self.reconcile(id, measurements: [measurement])
        case .delivered(let item):
            await self.settle(item)
        case .command(let id, let command, let continuation):
            continuation.resume(returning: await self.obey(command, for: id))
        case .prune(let id, let name, let continuation):
            continuation.resume(returning: await self.prune(id, by: name))
        }
        self.publish()
    }

    /// Logged when it changes, not at every look.
    private mutating func notePlatform(_ error: PlatformError?) {
        guard error?.message != self.platformProblem else { return }
        self.platformProblem = error?.message
        self.log("platform", error)
    }

    private mutating func noteRouter(_ error: PlatformError?) {
        guard error?.message != self.routerProblem else { return }
        self.routerProblem = error?.message
        self.log("router", error)
    }

    private func log(_ what: String, _ error: PlatformError?) {
        if let error {
            self.reconciler.logger.warning("\(what) not seen", metadata: ["error": "\(error)"])
        } else {
            self.reconciler.logger.notice("\(what) seen again")
        }
    }

    var isFleetKnown: Bool { self.unreadSources.isEmpty }

    private mutating func take(_ result: Result<SourceSnapshot?, SourceError>, from name: String) {
        self.unreadSources.remove(name)
        switch result {
        case .success(let snapshot):
            if let snapshot {
                let state = self.reconciler.settings.reader.read(snapshot.files, origin: snapshot.origin)
                self.tracker.update(
                    state,
                    from: name,
                    origin: snapshot.origin,
                    rewroteHistory: snapshot.rewroteHistory,
                    at: self.now
                )
                self.sources[name]?.commit = snapshot.origin.commit
                self.sources[name]?.diagnostics = state.diagnostics.map(\.description)
            }
            self.tracker.notePoll(of: name)
            let now = self.now
            self.sources[name]?.lastPolled = now
            self.sources[name]?.problem = nil
        case .failure(let error):
            self.sources[name]?.problem = error.message
        }
    }

    private mutating func settle(_ item: OutboxItem) async {
        do {
            try await self.reconciler.ports.journal.settle(item)
        } catch {
            // The item is delivered again after a restart, which its key makes harmless.
            self.reconciler.logger.warning("outbox item not settled", metadata: ["error": "\(error)"])
        }
    }

    private mutating func obey(_ command: Command, for id: DeploymentID) async -> CommandAnswer {
        guard self.members[id] != nil else { return .refused("there is no deployment \(id)") }
        let answers = await self.reconcile(id, commands: [command])
        return answers.first ?? .refused("the command was not taken: look at the controller's log")
    }

    private mutating func prune(_ id: DeploymentID, by name: String) async -> CommandAnswer {
        guard self.tracker.confirmDeletion(of: id) else {
            return .refused("the manifest of \(id) is in git: remove it there first")
        }
        self.reconciler.logger.notice(
            "deletion confirmed",
            metadata: ["deployment.name": "\(id)", "operator": "\(name)"]
        )
        await self.reconcile(id)
        return .done("\(id) is being removed")
    }

    /// The members that exist or should; each is decided on its own.
    mutating func reconcileAll(samples: [DeploymentID: Sample] = [:]) async {
        for id in self.tracker.ids.union(self.members.keys).sorted() {
            await self.reconcile(id, samples: samples[id].map { [$0] } ?? [])
        }
        await self.reconciler.ports.artifacts.retain(self.members.values.flatMap { $0.rollout.specs.map(\.model) })
    }

    private mutating func learnBaselines(from observation: RouterObservation) {
        for (id, sample) in observation.samples {
            guard let rollout = self.members[id]?.rollout, let stable = rollout.stable, !rollout.isInFlight else {
                continue
            }
            if self.baselines[id]?.revision != stable.revision {
                self.baselines[id] = StableHistory(revision: stable.revision)
            }
            self.baselines[id]?.add(sample)
        }
    }
}

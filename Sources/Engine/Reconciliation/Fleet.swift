import Analysis
package import Deployments
package import Logging
import Manifests
import Planning
package import Rollouts

/// All deployments, owned by the reconcile loop alone.
///
/// Every decision is made by the core on values; this type gathers those values, journals what was decided, and
/// applies the plan's effects through the ports. It starts no task and waits for nothing but its ports, so that the
/// simulator drives the same one with ports in memory.
package struct Fleet: Sendable {
    let ports: Reconciler.Ports
    let logger: Logger
    let functions: DecisionFunctions
    package internal(set) var members: [DeploymentID: Member]
    /// Those of the members, sorted: to sort ten thousand for each reader takes as long as a tick.
    var names: [DeploymentID]
    var occupancy: Occupancy
    var tracker: DesiredStateTracker
    /// Every deployment there is or should be, sorted; nothing when that may have changed.
    var order: [DeploymentID]?
    var replicas: Reading<[DeploymentID: [Replica]]> = .unknown("not looked at yet")
    var seenReplicas: [Replica] = []
    var told = ToldReplicas()
    /// As the last look, with what was told since; of those deployments of which something was.
    var replicasSinceTold: [DeploymentID: [Replica]] = [:]
    var router: Reading<RouterObservation> = .unknown("not looked at yet")
    /// What rollouts take their burst factors and latency bound from. In memory only: a rollout keeps what it used, and
    /// what was learnt.
    var baselines: [DeploymentID: StableHistory] = [:]
    /// What was learnt of deployments without a rollout in flight, for their next decision.
    var lessons: [DeploymentID: BurstFactors] = [:]
    /// The requests in flight of autoscaled deployments. In memory only: what was decided by them is journaled.
    var concurrency: [DeploymentID: ConcurrencyAverage] = [:]
    /// How many replicas the last decisions on autoscaled deployments found to be needed.
    var needs: [DeploymentID: Int] = [:]
    /// The newest transitions per deployment, for display.
    var recent: [DeploymentID: [Transition]] = [:]
    var waits: [DeploymentID: [Wait]] = [:]
    /// Those planned by the last decision, where there were any.
    var effects: [DeploymentID: [Effect]] = [:]
    var observations: [DeploymentID: Observation] = [:]
    var sources: [String: SourceState] = [:]
    /// What the forge of each repository is told.
    let topics: [String: Set<ForgeTopic>]
    /// The last commit of each repository of which one rewrote history, until what follows from it is journaled.
    var rewritten: [String: String] = [:]
    /// Those that could not be read at the last look.
    var failingSources: Set<String> = []
    var routing = Routing()
    /// Those for which the first table of routes waited last: see ``findStrangers()``.
    var strangers: [DeploymentID] = []
    /// Some plan has traffic to be moved that the router was not told of again since.
    var isRoutingPlanned = false
    /// While many are decided one after the other, the router is told once, in the end.
    var isDecidingMany = false
    /// Resting deployments whose last decision brought nothing about, and when time alone does not: see
    /// ``isAtRest(_:at:)``.
    var quiet: [DeploymentID: Range<Timestamp>] = [:]
    /// Whether another set of models is in use than the artifact store was last told.
    var isRetentionDue = true
    var pendingQueries: Set<MetricJob> = []
    var errands = Errands()
    /// Delivered, and not yet forgotten by the journal; oldest first.
    var unsettled: [OutboxItem] = []
    /// What failed writes of the journal left open.
    var unwritten: [DeploymentID: Unwritten] = [:]
    package var modelPolicies: [ModelUpdatePolicy] = []
    /// Those of operators, also some that have ended by now.
    package var freezes = FreezeBook()
    /// Of those that follow an alias, for display.
    var modelUpdates: [DeploymentID: ModelUpdateState] = [:]
    var activity = FleetActivity()
    var journalProblem: String?
    var platformProblem: String?
    var routerProblem: String?
    let startedAt: Timestamp
    /// The repositories that were not looked at yet, unless the journal said what there is.
    var unreadSources: Set<String>

    /// What a failed write leaves open until one succeeds, which is tried at every decision from then on. The failed
    /// one may be in the journal all the same, and a restart must not go on from there.
    struct Unwritten: Sendable {
        /// When a decision last failed to be written.
        var time: Timestamp
        /// Acted upon without being journaled: rollbacks.
        var transitions: [Transition] = []
        /// What receivers of notifications are to be told besides those.
        var signs: [Notice] = []
        /// Nobody must be told these, even if they are in the journal.
        var items: [OutboxItem] = []

        /// A disk that is full for days must not fill the memory too.
        static let itemLimit = 100
    }

    static let recentLimit = 30
    /// Git that was not read for so long counts as lost, and progress waits: a rollout that git took back must not go
    /// on for long, and a hiccup of the network must not stop one.
    static let gitPatience: Duration = .minutes(2)

    /// What the journal still holds for git is among the first ``takeErrands()``.
    package init(
        ports: Reconciler.Ports,
        logger: Logger,
        contents: JournalContents,
        recent: [DeploymentID: [Transition]] = [:],
        functions: DecisionFunctions = DecisionFunctions()
    ) {
        self.ports = ports
        self.logger = logger
        self.functions = functions
        self.topics = Dictionary(
            ports.sources.map { ($0.port.name, $0.forge?.topics ?? []) },
            uniquingKeysWith: { first, _ in first }
        )
        self.recent = recent
        self.members = contents.members
        self.names = contents.members.keys.sorted()
        self.occupancy = Occupancy(of: contents.members.keys)
        self.errands.notes = contents.outbox
        self.startedAt = ports.now()
        self.unreadSources = contents.members.isEmpty ? Set(ports.sources.map(\.port.name)) : []
        self.tracker = DesiredStateTracker(
            policies: Dictionary(
                ports.sources.map { ($0.port.name, $0.deletion) },
                uniquingKeysWith: { first, _ in first }
            )
        )
        for member in contents.members.values {
            guard let repository = member.repository, let spec = member.rollout.desired else { continue }
            self.tracker.restore(spec, from: repository, held: member.heldRemoval, at: self.startedAt)
        }
        for source in ports.sources {
            self.sources[source.port.name] = SourceState(
                repository: source.port.name,
                branch: source.branch,
                diagnostics: []
            )
        }
    }

    var now: Timestamp { self.ports.now() }

    package mutating func handle(_ event: Event) async {
        switch event {
        case .polled(let name, let result):
            let isFirst = self.unreadSources.remove(name) != nil
            let concerned = self.take(result, from: name)
            await self.settle()
            if isFirst { await self.reconcileAll() } else { await self.reconcile(concerned.sorted()) }
            await self.acknowledge(name)
        case .platform(.success(let replicas), let time):
            let isNews = self.see(replicas, at: time)
            self.notePlatform(nil)
            if isNews { await self.reconcileAll() }
        case .platform(.failure(let error), _):
            if self.replicas.last == nil { self.replicas = .unknown(error.message) }
            self.notePlatform(error)
        case .router(.success(let observation), _):
            self.router = .known(observation, at: observation.time)
            self.noteRouter(nil)
            await self.reconcileAll(samples: observation.samples)
        case .router(.failure(let error), _):
            if self.router.last == nil { self.router = .unknown(error.message) }
            self.noteRouter(error)
            // Deadlines and drained replicas do not wait for the router.
            await self.reconcileAll()
        case .measured(let id, let measurement):
            self.pendingQueries = self.pendingQueries.filter {
                $0.deployment != id || $0.gate != measurement.gate || $0.asker != measurement.asker
            }
            await self.reconcile(id, measurements: [measurement])
        case .delivered(let item):
            await self.forget(item)
        case .reverted(let item, let what):
            self.sources[item.repository]?.lastRevert = "\(item.key): \(what)"
            self.logger.notice("revert", metadata: ["deployment.name": "\(item.key)", "revert": "\(what)"])
            await self.forget(item)
        case .promoted(let item, let outcome):
            await self.take(outcome, of: item)
            await self.forget(item)
        case .modelSeen(let sighting):
            await self.take(sighting)
        case .undelivered(let item, let error):
            self.note(error, of: item)
            if item.promotion != nil, let id = DeploymentID(item.key) {
                self.show(error.message, isProblem: true, of: id)
            }
        }
    }

    /// What is to be done now besides the effects; each is handed out once.
    package mutating func takeErrands() -> Errands {
        let errands = self.errands
        self.errands = Errands()
        return errands
    }

    private mutating func forget(_ item: OutboxItem) async {
        self.sources[item.repository]?.undelivered.removeAll { $0.item == item.id }
        self.unsettled.append(item)
        await self.settle()
    }

    /// One line for each item, as long as it waits.
    private mutating func note(_ error: SourceError, of item: OutboxItem) {
        guard let undelivered = self.sources[item.repository]?.undelivered else { return }
        if let index = undelivered.firstIndex(where: { $0.item == item.id }) {
            self.sources[item.repository]?.undelivered[index].problem = error.message
        } else {
            let entry = SourceState.Undelivered(item: item.id, problem: error.message, since: self.now)
            self.sources[item.repository]?.undelivered.append(entry)
        }
    }

    /// - Returns: Whether anything differs from the last look.
    private mutating func see(_ look: [Replica], at time: Timestamp) -> Bool {
        self.told.forget(before: time)
        let replicas = self.told.applied(to: look)
        let isToldSince = !self.replicasSinceTold.isEmpty
        self.replicasSinceTold = [:]
        if !isToldSince, let known = self.replicas.last, self.seenReplicas == replicas {
            self.replicas = .known(known, at: time)
            return false
        }
        self.seenReplicas = replicas
        self.replicas = .known(Dictionary(grouping: replicas, by: \.id.deployment), at: time)
        return true
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
            self.logger.warning("\(what) not seen", metadata: ["error": "\(error)"])
        } else {
            self.logger.notice("\(what) seen again")
        }
    }

    /// - Returns: The deployments that have to be decided on: a commit costs what it changes.
    private mutating func take(_ result: Result<DesiredCommit?, SourceError>, from name: String) -> Set<DeploymentID> {
        var concerned: Set<DeploymentID> = []
        switch result {
        case .success(let commit):
            if let commit {
                concerned = self.tracker.update(
                    commit.state,
                    from: name,
                    origin: commit.origin,
                    rewroteHistory: commit.rewroteHistory,
                    at: self.now
                )
                for id in concerned { self.quiet[id] = nil }
                if concerned.contains(where: { self.members[$0] == nil }) { self.order = nil }
                self.rewritten[name] = commit.rewroteHistory ? commit.origin.commit : nil
                self.sources[name]?.commit = commit.origin.commit
                self.sources[name]?.diagnostics = commit.state.diagnostics.map(\.description)
            }
            concerned.formUnion(self.tracker.notePoll(of: name))
            let now = self.now
            self.sources[name]?.lastPolled = now
            self.sources[name]?.problem = nil
            self.failingSources.remove(name)
        case .failure(let error):
            self.sources[name]?.problem = error.message
            self.failingSources.insert(name)
        }
        return concerned
    }

    /// Removals that an operator must confirm are held by the journal from now on.
    private mutating func acknowledge(_ name: String) async {
        guard let commit = self.rewritten[name], self.unwritten.isEmpty,
            let source = self.ports.sources.first(where: { $0.port.name == name })
        else { return }
        do {
            try await source.port.acknowledge(commit: commit)
            self.rewritten[name] = nil
        } catch {
            // Tried again at the next poll. Until then every removal of this repository waits for an operator.
            self.logger.warning("rewritten history not acknowledged", metadata: ["error": "\(error)"])
        }
    }

    /// In the order of delivery: an older outcome that outlived a newer one of its commit would be told again after a
    /// restart, over the newer one.
    mutating func settle() async {
        while let item = self.unsettled.first {
            do {
                try await self.ports.journal.settle(item)
                self.unsettled.removeFirst()
            } catch {
                // Tried again at the next poll; after a restart it is delivered again, which its key makes harmless.
                self.logger.warning("outbox item not settled", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    package mutating func obey(_ command: Command, for id: DeploymentID) async -> CommandAnswer {
        guard self.members[id] != nil else { return .refused("there is no deployment \(id)") }
        let answers = await self.reconcile(id, commands: [command])
        return answers.first ?? .refused("the command was not taken: look at the controller's log")
    }

    package mutating func prune(_ id: DeploymentID, by name: String) async -> CommandAnswer {
        // What the journal says of git may be over.
        if let name = self.tracker.owner(of: id), self.sources[name]?.lastPolled == nil {
            return .refused("git \(name) was not read since the controller started: try again once it was")
        }
        guard self.tracker.confirmDeletion(of: id) else {
            return .refused("the manifest of \(id) is in git: remove it there first")
        }
        self.logger.notice("deletion confirmed", metadata: ["deployment.name": "\(id)", "operator": "\(name)"])
        await self.reconcile(id)
        return .done("\(id) is being removed")
    }

    /// The members that exist or should.
    private mutating func reconcileAll(samples: [DeploymentID: Sample] = [:]) async {
        let order = self.order ?? self.tracker.ids.union(self.members.keys).sorted()
        self.order = order
        await self.reconcile(order, samples: samples)
        guard self.isRetentionDue else { return }
        self.isRetentionDue = false
        await self.ports.artifacts.retain(self.members.values.flatMap { $0.rollout.specs.map(\.model) })
    }

    /// Each is decided on its own, one after the other; the router is told once, in the end.
    private mutating func reconcile(_ ids: [DeploymentID], samples: [DeploymentID: Sample] = [:]) async {
        self.isDecidingMany = true
        for id in ids {
            await self.reconcile(id, samples: samples[id].map { [$0] } ?? [])
        }
        self.isDecidingMany = false
        await self.tellRouter(at: self.now)
        self.isRoutingPlanned = false
    }
}

package import Deployments
package import Logging
package import Manifests
package import Rollouts
import ServiceLifecycle
import Synchronization

/// Runs the loop: takes events, decides, journals, applies, observes.
///
/// One task owns the fleet as a local value. Everything else only yields events to it, or reads snapshots.
package final class Reconciler: Service {
    package let ports: Ports
    package let settings: Settings
    let logger: Logger
    let reading: CommitReading
    private let messages: AsyncStream<Message>
    private let messagesSink: AsyncStream<Message>.Continuation
    let metricJobs: AsyncStream<MetricJob>
    private let metricJobsSink: AsyncStream<MetricJob>.Continuation
    /// Three queues per repository, of notes, of commits (reverts, promotions) and of what its forge is told: what one
    /// refuses delays nothing else.
    private let outboxes: [String: Outbox]
    /// One per receiver of events, and per receiver of alerts.
    let noticeQueues: [String: NoticeQueue]
    let alertAccounts: [String: ReceiverAccount]
    /// One per repository.
    let bells: [String: Bell]
    private let snapshot: Mutex<FleetSnapshot>
    private let turnCount = Atomic(0)

    /// The collaborators, each behind its port.
    package struct Ports: Sendable {
        package var sources: [Source]
        package var platform: any ServingPlatform
        package var router: any TrafficRouter
        package var artifacts: any ArtifactStore
        package var providers: [any MetricProvider]
        package var webhooks: [any VerdictProvider]
        package var jobs: (any JobRunner)?
        /// Nothing where nobody compares answers.
        package var answers: (any AnswerSource)?
        /// Nothing where nobody tells of answered requests.
        package var feedback: (any FeedbackSource)?
        /// Nothing where no model registry is asked.
        package var models: (any ModelVersions)?
        package var receivers: Receivers
        package var journal: any Journal
        /// Nothing where operators freeze nothing.
        package var freezes: (any FreezeStore)?
        /// Yields when replicas changed, so that they are looked at before the next poll.
        package var platformChanges: AsyncStream<Void>
        /// What the platform has for all replicas together.
        package var capacity: Capacity
        package var now: @Sendable () -> Timestamp

        package init(
            sources: [Source],
            platform: any ServingPlatform,
            router: any TrafficRouter,
            artifacts: any ArtifactStore,
            providers: [any MetricProvider],
            webhooks: [any VerdictProvider] = [],
            jobs: (any JobRunner)? = nil,
            answers: (any AnswerSource)? = nil,
            feedback: (any FeedbackSource)? = nil,
            models: (any ModelVersions)? = nil,
            receivers: Receivers = Receivers(),
            journal: any Journal,
            freezes: (any FreezeStore)? = nil,
            platformChanges: AsyncStream<Void>,
            capacity: Capacity = Capacity(),
            now: @escaping @Sendable () -> Timestamp
        ) {
            self.sources = sources
            self.platform = platform
            self.router = router
            self.artifacts = artifacts
            self.providers = providers
            self.webhooks = webhooks
            self.jobs = jobs
            self.answers = answers
            self.feedback = feedback
            self.models = models
            self.receivers = receivers
            self.journal = journal
            self.freezes = freezes
            self.platformChanges = platformChanges
            self.capacity = capacity
            self.now = now
        }
    }

    package struct Settings: Sendable {
        /// How often the platform and the router are looked at, and evidence is judged.
        package var poll: Duration
        package var reader: ManifestReader
        /// What follows aliases of the model registry; of those that concern a deployment, the first counts.
        package var modelUpdates: [ModelUpdatePolicy]
        /// How long what comes and goes by itself must last before receivers of alerts are shown it.
        package var alertPatience: Duration

        package init(
            poll: Duration,
            reader: ManifestReader,
            modelUpdates: [ModelUpdatePolicy] = [],
            alertPatience: Duration = AlertBook.patience
        ) {
            self.poll = poll
            self.reader = reader
            self.modelUpdates = modelUpdates
            self.alertPatience = alertPatience
        }
    }

    package init(ports: Ports, settings: Settings, logger: Logger) {
        self.ports = ports
        self.settings = settings
        self.logger = logger
        self.reading = CommitReading(reader: settings.reader)
        (self.messages, self.messagesSink) = AsyncStream.makeStream()
        // Bounded by the number of gates, each of which is asked once at a time: a job that was dropped here would
        // never be answered, and its gate never asked again.
        (self.metricJobs, self.metricJobsSink) = AsyncStream.makeStream()
        self.outboxes = Dictionary(
            ports.sources.map { ($0.port.name, Outbox()) },
            uniquingKeysWith: { first, _ in first }
        )
        self.noticeQueues = Dictionary(
            ports.receivers.notifiers.map { notifier in
                let (name, routes) = (notifier.name, ports.receivers.routes)
                return (name, NoticeQueue(name, isGrouping: notifier.wantsGroups, routes: routes))
            },
            uniquingKeysWith: { first, _ in first }
        )
        self.alertAccounts = Dictionary(
            ports.receivers.alerts.map { ($0.name, ReceiverAccount(name: $0.name)) },
            uniquingKeysWith: { first, _ in first }
        )
        self.bells = Dictionary(ports.sources.map { ($0.port.name, Bell()) }, uniquingKeysWith: { first, _ in first })
        self.snapshot = Mutex(FleetSnapshot(time: ports.now()))
    }

    /// What readers may know at this moment.
    package var current: FleetSnapshot {
        var snapshot = self.snapshot.withLock { $0 }
        snapshot.receivers = self.receiverStates
        return snapshot
    }

    /// How many events and commands were handled since the start. The platform and the router are looked at all the
    /// time, so a loop that is well goes on turning whatever git, a provider or a forge does.
    package var turns: Int { self.turnCount.load(ordering: .relaxed) }

    /// Where each value of a deployment's manifest comes from, in the last commit that was read of its repository.
    ///
    /// - Returns: Nothing when no commit was read since the start, or the last one does not hold the deployment.
    package func explain(_ id: DeploymentID) async -> (spec: ExplainedSpec, origin: CommitReference)? {
        let owner = self.current.deployments[id]?.rollout.desired?.origin.repository
        for repository in owner.map({ [$0] }) ?? self.ports.sources.map(\.port.name) {
            if let found = await self.reading.explain(id, in: repository) { return found }
        }
        return nil
    }

    struct Outbox: Sendable {
        let notes: AsyncStream<OutboxItem>
        let commits: AsyncStream<OutboxItem>
        let forge = ForgeQueue()
        private let notesSink: AsyncStream<OutboxItem>.Continuation
        private let commitsSink: AsyncStream<OutboxItem>.Continuation

        init() {
            (self.notes, self.notesSink) = AsyncStream.makeStream()
            (self.commits, self.commitsSink) = AsyncStream.makeStream()
        }

        /// - Returns: What is not to be told any more.
        func post(_ item: OutboxItem) -> [OutboxItem] {
            if item.news != nil { return self.forge.post(ForgeQueue.Errand(item: item)) }
            _ = item.isCommit ? self.commitsSink.yield(item) : self.notesSink.yield(item)
            return []
        }
    }

    /// What the loop reads: events, and operators who wait for an answer.
    private enum Message: Sendable {
        case event(Event)
        case command(DeploymentID, Command, CheckedContinuation<CommandAnswer, Never>)
        case commands([DeploymentID], Command, CheckedContinuation<[CommandAnswer], Never>)
        case prune(DeploymentID, by: String, CheckedContinuation<CommandAnswer, Never>)
        case promote(DeploymentID, ModelPromotion, CheckedContinuation<CommandAnswer, Never>)
        case freezes(FreezeChange, CheckedContinuation<FreezeReceipt, Never>)
    }

    func tell(_ event: Event) {
        self.messagesSink.yield(.event(event))
    }

    /// Queues what git is to be told; what no configured repository can take counts as delivered.
    private func post(_ item: OutboxItem) {
        if item.notice != nil { return self.post(notice: item) }
        if let outbox = self.outboxes[item.repository] {
            for overtaken in outbox.post(item) { self.tell(.delivered(overtaken)) }
        } else {
            self.tell(.delivered(item))
        }
    }

    private func see(to errands: Errands) {
        for item in errands.notes { self.post(item) }
        for job in errands.queries { self.metricJobsSink.yield(job) }
    }

    /// Hands an operator's command to the loop and waits for its answer.
    package func submit(_ command: Command, for id: DeploymentID) async -> CommandAnswer {
        await withCheckedContinuation { continuation in
            if case .terminated = self.messagesSink.yield(.command(id, command, continuation)) {
                continuation.resume(returning: Self.stopping)
            }
        }
    }

    /// Asks the same of many, a few at a time, so that whatever else happens is not kept waiting.
    ///
    /// - Returns: An answer for each, in their order.
    package func submit(_ command: Command, for ids: [DeploymentID]) async -> [CommandAnswer] {
        var answers: [CommandAnswer] = []
        for start in stride(from: 0, to: ids.count, by: Self.handful) {
            let some = Array(ids[start..<min(start + Self.handful, ids.count)])
            answers += await withCheckedContinuation { continuation in
                if case .terminated = self.messagesSink.yield(.commands(some, command, continuation)) {
                    continuation.resume(returning: some.map { _ in Self.stopping })
                }
            }
        }
        return answers
    }

    /// Each of them is journaled by itself, which takes a millisecond or several.
    private static let handful = 16

    /// Has a repository polled now rather than at the end of its interval, as there is said to be something new.
    ///
    /// - Returns: Whether this asks for a poll that nobody else has asked for.
    @discardableResult
    package func wake(repository: String) -> Bool {
        self.bells[repository]?.ring() ?? false
    }

    /// Confirms that a vanished manifest is meant.
    package func prune(_ id: DeploymentID, by operatorName: String) async -> CommandAnswer {
        await withCheckedContinuation { continuation in
            if case .terminated = self.messagesSink.yield(.prune(id, by: operatorName, continuation)) {
                continuation.resume(returning: Self.stopping)
            }
        }
    }

    /// Hands a promotion to the loop, which journals it and has it written.
    func submit(_ promotion: ModelPromotion, for id: DeploymentID) async -> CommandAnswer {
        await withCheckedContinuation { continuation in
            if case .terminated = self.messagesSink.yield(.promote(id, promotion, continuation)) {
                continuation.resume(returning: Self.stopping)
            }
        }
    }

    /// Begins a freeze or ends one. Once it is answered, every decision knows it.
    package func submit(_ change: FreezeChange) async -> FreezeReceipt {
        await withCheckedContinuation { continuation in
            if case .terminated = self.messagesSink.yield(.freezes(change, continuation)) {
                continuation.resume(returning: FreezeReceipt(Self.stopping))
            }
        }
    }

    private func recentTransitions(of contents: JournalContents) async throws -> [DeploymentID: [Transition]] {
        var recent: [DeploymentID: [Transition]] = [:]
        for id in contents.members.keys {
            let rows = try await self.ports.journal.history(of: id, limit: Fleet.recentLimit)
            recent[id] = rows.map(\.transition)
        }
        return recent
    }

    static let stopping = CommandAnswer.refused("the controller is stopping: try again once it runs")

    package func run() async throws {
        let contents = try await self.ports.journal.load()
        let recent = try await self.recentTransitions(of: contents)
        let freezes = try await self.ports.freezes?.freezes() ?? FreezeBook()
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                for source in self.ports.sources {
                    group.addTask { await self.watch(source) }
                    if let outbox = self.outboxes[source.port.name] {
                        group.addTask { await self.deliver(outbox.notes, to: source, outbox.forge) }
                        group.addTask { await self.deliver(outbox.commits, to: source, outbox.forge) }
                        group.addTask { await self.tell(source, outbox.forge) }
                    }
                }
                for notifier in self.ports.receivers.notifiers {
                    guard let queue = self.noticeQueues[notifier.name] else { continue }
                    group.addTask { await self.tell(notifier, from: queue) }
                }
                for receiver in self.ports.receivers.alerts {
                    guard let account = self.alertAccounts[receiver.name] else { continue }
                    group.addTask { await self.show(to: receiver, account) }
                }
                group.addTask { await self.watchPlatform() }
                group.addTask { await self.watchRouter() }
                group.addTask { await self.answerMetricJobs() }
                if let models = self.ports.models {
                    for (index, policy) in self.settings.modelUpdates.enumerated() {
                        group.addTask { await self.watchModels(by: policy, at: index, in: models) }
                    }
                }
                var fleet = Fleet(ports: self.ports, logger: self.logger, contents: contents, recent: recent)
                fleet.modelPolicies = self.settings.modelUpdates
                fleet.freezes = freezes
                var showing = Showing()
                for await message in self.messages {
                    await self.take(message, into: &fleet, &showing)
                }
                group.cancelAll()
            }
        }
        self.messagesSink.finish()
        for await message in self.messages {
            switch message {
            case .event: break
            case .command(_, _, let continuation), .prune(_, _, let continuation),
                .promote(_, _, let continuation):
                continuation.resume(returning: Self.stopping)
            case .commands(let ids, _, let continuation):
                continuation.resume(returning: ids.map { _ in Self.stopping })
            case .freezes(_, let continuation):
                continuation.resume(returning: FreezeReceipt(Self.stopping))
            }
        }
    }

    private func take(_ message: Message, into fleet: inout Fleet, _ showing: inout Showing) async {
        let start = ContinuousClock.now
        let answer = await self.handle(message, by: &fleet)
        self.see(to: fleet.takeErrands())
        let end = ContinuousClock.now
        self.turnCount.add(1, ordering: .relaxed)
        fleet.activity.note(turn: end - start)
        // Whoever is answered sees what was done.
        if showing.isDue(at: end) || answer?.extent == .fleet {
            self.show(fleet.snapshot)
            showing.note(begun: end, ended: ContinuousClock.now)
        } else if case .deployments(let ids)? = answer?.extent {
            var snapshot = self.snapshot.withLock { $0 }
            fleet.show(ids, in: &snapshot)
            self.show(snapshot)
        }
        answer?.give()
    }

    private func show(_ snapshot: FleetSnapshot) {
        // The one before is handed out, and so not taken apart while readers wait for the lock.
        _ = self.snapshot.withLock { shown in
            let before = shown
            shown = snapshot
            shown.version = before.version + 1
            return before
        }
    }

    /// What is said to whoever waits, once others can see it.
    private struct Answer {
        var extent: Extent
        var give: () -> Void

        /// What may have to be shown otherwise than before.
        enum Extent: Hashable {
            case deployments([DeploymentID])
            case fleet
        }
    }

    private func handle(_ message: Message, by fleet: inout Fleet) async -> Answer? {
        switch message {
        case .event(let event):
            await fleet.handle(event)
            return nil
        case .command(let id, let command, let continuation):
            let answer = await fleet.obey(command, for: id)
            return Answer(extent: .deployments([id])) { continuation.resume(returning: answer) }
        case .commands(let ids, let command, let continuation):
            var answers: [CommandAnswer] = []
            for id in ids { answers.append(await fleet.obey(command, for: id)) }
            return Answer(extent: .deployments(ids)) { continuation.resume(returning: answers) }
        case .prune(let id, let name, let continuation):
            let answer = await fleet.prune(id, by: name)
            return Answer(extent: .deployments([id])) { continuation.resume(returning: answer) }
        case .promote(let id, let promotion, let continuation):
            let answer = await fleet.propose(promotion, of: id)
            return Answer(extent: .deployments([id])) { continuation.resume(returning: answer) }
        case .freezes(let change, let continuation):
            let answer = await fleet.change(change)
            return Answer(extent: .fleet) { continuation.resume(returning: answer) }
        }
    }

    /// When a new snapshot is made: of ten thousand deployments it takes as long as a tick, so at most a tenth of the
    /// time goes into them. What comes meanwhile shows in the next one, after the next look at the platform at the
    /// latest.
    private struct Showing {
        private var last: ContinuousClock.Instant?
        private var cost = Duration.zero

        func isDue(at now: ContinuousClock.Instant) -> Bool { self.last.map { now - $0 >= self.cost * 10 } ?? true }

        mutating func note(begun: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
            self.last = ended
            self.cost = ended - begun
        }
    }
}

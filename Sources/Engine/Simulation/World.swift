import Decisions
package import Deployments
import Logging
import Manifests
import Planning
package import Reconciliation
package import Rollouts
import Synchronization

/// A deterministic world: a controller, and behind its ports replicas that take time and fail, a router that lags and
/// forgets, repositories, a journal on a disk that fills up, and traffic with real error and latency processes.
///
/// The controller is the same `Fleet` that the daemon runs, driven with virtual time; only the ports are simulated. It
/// can be killed at any call of any port, and is started again from what its journal holds.
package struct World: ~Copyable, Sendable {
    package let scenario: Scenario
    private let ports: SimulatedPorts
    private var functions: DecisionFunctions
    private let rewire: @Sendable (Reconciler.Ports) -> Reconciler.Ports
    private var wired: Reconciler.Ports
    /// What is left of it after a kill, until the next one starts.
    private var fleet: Fleet
    private var isUp = false
    /// When a killed controller is started again, in ticks.
    private var startsAt = 0
    /// Since when nothing is under way, in ticks.
    private var stillSince: Int?
    /// Since when rollouts wait for an operator in a world that is quiet, in ticks.
    private var waitingSince: [DeploymentID: Int] = [:]
    private var dice: Dice

    // What is on its way to the controller, and is lost with it.
    private var outboxes: [String: [OutboxItem]] = [:]
    private var queries: [MetricJob] = []
    private var late: [Late] = []

    package private(set) var time = 0
    /// The answers to the commands of the last tick.
    package private(set) var answers: [CommandAnswer] = []

    private struct Late: Sendable {
        var tick: Int
        var event: Event
        var sight: Truth.Sight?
    }

    /// The tests break `functions`, or put something between the controller and its ports with `rewire`, to see that
    /// caught. With `isRecording`, every record of the journal is kept.
    package init(
        scenario: Scenario,
        seed: UInt64,
        functions: DecisionFunctions = DecisionFunctions(),
        isRecording: Bool = false,
        rewire: @escaping @Sendable (Reconciler.Ports) -> Reconciler.Ports = { $0 }
    ) {
        self.scenario = scenario
        var truth = Truth(scenario: scenario, seed: seed)
        if isRecording { truth.journal.records = [] }
        let ports = SimulatedPorts(truth)
        self.ports = ports
        self.functions = functions
        self.functions.listen = { ports.hear($0) }
        self.rewire = rewire
        self.wired = rewire(Self.ports(over: ports, scenario))
        self.dice = Dice(seed: seed ^ 0xD1CE)
        self.fleet = Self.fleet(over: self.wired, ports, self.functions, JournalContents())
    }

    private static func fleet(
        over wired: Reconciler.Ports,
        _ ports: SimulatedPorts,
        _ functions: DecisionFunctions,
        _ contents: JournalContents
    ) -> Fleet {
        Fleet(
            ports: wired,
            logger: Self.logger,
            contents: contents,
            functions: functions
        )
    }

    private static func ports(over ports: SimulatedPorts, _ scenario: Scenario) -> Reconciler.Ports {
        Reconciler.Ports(
            sources: (0..<scenario.sources).map { number in
                Reconciler.Source(
                    port: SimulatedSource(number: number, ports: ports),
                    branch: "main",
                    interval: scenario.tick,
                    deletion: DesiredStateTracker.Policy(grace: scenario.grace),
                    writesNotes: true
                )
            },
            platform: ports,
            router: ports,
            artifacts: ports,
            providers: [ports],
            webhooks: [ports],
            journal: ports,
            freezes: ports,
            platformChanges: AsyncStream { $0.finish() },
            capacity: scenario.capacity,
            now: { ports.truth.withLock { $0.now } }
        )
    }

    private static let logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }

    // MARK: - Running

    /// - Returns: The rules that were broken; empty when none was.
    package mutating func run() async -> [Violation] {
        while self.time < self.scenario.ticks, self.violations.isEmpty, !self.isAtRest {
            await self.step()
        }
        if self.violations.isEmpty {
            let members = self.isUp ? self.fleet.members : [:]
            self.ports.truth.withLock { $0.checkEnd(members) }
        }
        return self.violations
    }

    package mutating func step() async {
        self.time += 1
        let orders = self.ports.truth.withLock { truth in
            truth.beginTick()
            return truth.orders
        }
        self.answers = []
        if !self.isUp { await self.start() }
        await self.deliverLate()
        if self.time % self.scenario.pollEvery == 0 { await self.poll() }
        await self.lookAtPlatform()
        await self.lookAtRouter()
        for order in orders { await self.obey(order) }
        await self.relieve()
        await self.answerQueries()
        await self.deliverNotes()
        self.noteRest()
    }

    private mutating func start() async {
        guard self.time >= self.startsAt else { return }
        self.wired = self.rewire(Self.ports(over: self.ports, self.scenario))
        self.ports.truth.withLock { $0.isDead = false }
        guard let contents = try? await self.wired.journal.load() else { return }  // tried again in the next tick
        self.fleet = Self.fleet(over: self.wired, self.ports, self.functions, contents)
        // No simulated read of them fails.
        self.fleet.freezes = (try? await self.wired.freezes?.freezes()) ?? FreezeBook()
        self.isUp = true
        self.collect()
    }

    /// Takes what the controller left to do, and judges what it decided; buries it, when it was killed.
    private mutating func collect() {
        let decisions = self.ports.takeDecisions()
        let isDead = self.ports.truth.withLock { truth in
            for decision in decisions {
                truth.judge(decision)
            }
            return truth.isDead
        }
        if isDead {
            self.bury()
        } else {
            let errands = self.fleet.takeErrands()
            for item in errands.notes { self.outboxes[item.repository, default: []].append(item) }
            self.queries += errands.queries
        }
    }

    private mutating func bury() {
        self.isUp = false
        self.outboxes = [:]
        self.queries = []
        self.late = []
        self.startsAt = self.ports.truth.withLock { truth in
            truth.sight = Truth.Sight()
            truth.drainsSinceLook = []
            truth.attempted = [:]
            truth.load.forget()
            for id in Set(truth.git.flatMap(\.known)).union(truth.journal.contents.members.keys) {
                truth.checker.forget(id, allBut: truth.journal.member(id)?.rollout)
                truth.forgetRemoval(of: id)
            }
            return self.time + truth.downTime
        }
    }

    private mutating func tell(_ event: Event, _ sight: Truth.Sight? = nil) async {
        guard self.isUp else { return }
        if let sight {
            self.ports.truth.withLock { truth in
                truth.see(sight)
                truth.drainsSinceLook = []
            }
        }
        if case .router(.success(let look), _) = event { self.see(look) }
        await self.fleet.handle(event)
        self.collect()
    }

    private func see(_ look: RouterObservation) {
        self.ports.truth.withLock { truth in
            truth.load.see(look.time)
            truth.router.lastLook = look.time
        }
    }

    // MARK: - What the controller is told

    private mutating func deliverLate() async {
        guard !self.late.isEmpty else { return }
        let due = self.late.filter { $0.tick <= self.time }
        self.late.removeAll { $0.tick <= self.time }
        for item in due { await self.tell(item.event, item.sight) }
    }

    /// Now, or some ticks later.
    private mutating func tellInTime(_ event: Event, _ sight: Truth.Sight? = nil) async {
        let isLate = self.ports.truth.withLock { $0.isGoingOn(.lateLooks) }
        if isLate || !self.late.isEmpty {
            // Looks wait for each other: none overtakes a newer one.
            let tick = max(isLate ? self.time + self.dice.pick(0...6) : 0, self.late.last?.tick ?? 0)
            self.late.append(Late(tick: tick, event: event, sight: sight))
        } else {
            await self.tell(event, sight)
        }
    }

    private mutating func poll() async {
        for (number, source) in self.wired.sources.enumerated() where self.isUp {
            let time = self.wired.now()
            let result: Result<DesiredCommit?, SourceError>
            do {
                result = .success(try await source.port.poll().map { self.read($0) })
            } catch {
                result = .failure(error)
            }
            if self.isKilled { return }
            await self.tell(.polled(source.port.name, result))
            if self.isUp, case .success = result {
                self.ports.truth.withLock { $0.noteRemovals(number, at: time) }
            }
        }
    }

    private func read(_ snapshot: SourceSnapshot) -> DesiredCommit {
        let state = self.ports.truth.withLock { $0.states[snapshot.origin.commit] } ?? DesiredState()
        return DesiredCommit(origin: snapshot.origin, state: state, rewroteHistory: snapshot.rewroteHistory)
    }

    /// A call outside of the fleet may have been the last one.
    private var isKilled: Bool {
        mutating get {
            guard self.ports.truth.withLock({ $0.isDead }) else { return false }
            self.collect()
            return true
        }
    }

    private mutating func lookAtPlatform() async {
        guard self.isUp else { return }
        let time = self.wired.now()
        do {
            let replicas = try await self.wired.platform.replicas()
            let sight = Truth.Sight(platform: self.time, replicas: replicas)
            await self.tellInTime(.platform(.success(replicas), at: time), sight)
        } catch {
            if self.isKilled { return }
            await self.tell(.platform(.failure(error), at: time))
        }
    }

    private mutating func lookAtRouter() async {
        guard self.isUp else { return }
        let time = self.wired.now()
        do {
            await self.tellInTime(.router(.success(try await self.wired.router.observe()), at: time))
        } catch {
            if self.isKilled { return }
            await self.tell(.router(.failure(error), at: time))
        }
    }

    private mutating func answerQueries() async {
        let queries = self.queries
        self.queries = []
        for job in queries {
            let providers = Dictionary(uniqueKeysWithValues: self.wired.providers.map { ($0.name, $0) })
            let measurement = await job.measurement(
                from: providers,
                webhooks: Dictionary(uniqueKeysWithValues: self.wired.webhooks.map { ($0.name, $0) }),
                comparing: self.wired.answers,
                at: self.wired.now()
            )
            await self.tellInTime(.measured(job.deployment, measurement))
        }
    }

    private mutating func obey(_ order: Truth.Order) async {
        guard self.isUp else { return }
        if let change = order.freeze {
            await Self.obey(change, by: &self.fleet, self.ports)
            return self.collect()
        }
        let answer: CommandAnswer
        if let command = order.command {
            answer = await self.fleet.obey(command, for: order.deployment)
        } else {
            // Confirmed before it is obeyed: the removal may come at once.
            let before = self.ports.truth.withLock { $0.confirmRemoval(of: order.deployment) }
            answer = await self.fleet.prune(order.deployment, by: "simulator")
            if !answer.isAccepted { self.ports.truth.withLock { $0.removals[order.deployment] = before } }
        }
        self.answers.append(answer)
        self.collect()
    }

    /// Somebody comes, at last, and ends what waits for an operator: a world that waits on shows nothing new.
    private mutating func relieve() async {
        guard self.isCalmedDown else { return }
        let waiting = self.fleet.members.values.map(\.rollout).filter(\.waitsForOperator).sorted { $0.id < $1.id }
        self.waitingSince = Dictionary(
            uniqueKeysWithValues: waiting.map { ($0.id, self.waitingSince[$0.id] ?? self.time) }
        )
        for rollout in waiting where self.time - self.waitingSince[rollout.id, default: 0] >= Self.operatorTicks {
            // Where nothing fails by chance, what becomes of a model is judged in the end, and the operator knows it.
            let isGood = rollout.canary.map { canary in
                self.ports.truth.withLock { $0.behaviour(canary.revision).isGood }
            }
            // Where there is no canary, somebody is only asked whether it may begin, or the bake end.
            let isAsked = rollout.canary == nil
            let promotes = isAsked || (self.scenario.isCalm ? isGood ?? false : self.dice.chance(0.5))
            let full = !isAsked && self.dice.chance(0.5)
            let promote = Command(.promote(full: full, force: isAsked && !self.scenario.isCalm), by: "simulator")
            if promotes { await self.obey(Truth.Order(deployment: rollout.id, command: promote)) }
            let isRefused = self.answers.last?.isAccepted == false
            if !promotes || (!isAsked && !self.scenario.isCalm && isRefused) {
                await self.obey(Truth.Order(deployment: rollout.id, command: Command(.abort, by: "simulator")))
            }
            self.waitingSince[rollout.id] = nil
        }
    }

    private static let operatorTicks = 10

    /// What each repository is to be told, in its order, until something cannot be.
    private mutating func deliverNotes() async {
        for source in self.wired.sources {
            while self.isUp, let item = self.outboxes[source.port.name]?.first {
                let event: Event
                do {
                    // No simulated repository has a forge.
                    guard case .done(let told) = try await source.deliver(item) else { break }
                    event = told
                } catch {
                    if self.isKilled { return }
                    break
                }
                self.outboxes[source.port.name]?.removeFirst()
                await self.tell(event)
            }
        }
    }

    // MARK: - Rest

    private var isAtRest: Bool {
        guard let since = self.stillSince, self.time - since >= Self.restTicks else { return false }
        return self.isCalmedDown
    }

    /// Nothing happens any more, and the controller has told all that it had to tell.
    private var isCalmedDown: Bool {
        guard self.scenario.endsAtRest, self.isUp, self.time >= self.scenario.scaledFrom else { return false }
        return self.ports.truth.withLock { $0.isOver && $0.journal.contents.outbox.isEmpty }
    }

    /// Nothing is under way any more, either.
    private mutating func noteRest() {
        guard self.scenario.endsAtRest, self.isUp, self.time >= self.scenario.quietFrom else { return }
        let isStill = self.fleet.members.values.allSatisfy { member in
            member.rollout.phase == .settled && member.rollout.surplus == nil && member.rollout.holds.isEmpty
        }
        self.stillSince = isStill ? self.stillSince ?? self.time : nil
    }

    /// Long enough for what settled to be cleared away.
    private static let restTicks = 11
}

extension Rollout {
    /// Whether it goes no further until an operator says how.
    fileprivate var waitsForOperator: Bool {
        self.holds.contains { hold in
            switch hold {
            case .awaitingApproval, .inconclusive, .gateHolds: true
            case .awaitingSignOff(_, let needsApproval, _): needsApproval
            case .noRoom: self.isInFlight
            case .paused, .noEvidence, .sharedIncident, .staleObservation, .dependencies, .frozen, .noRoomToScale: false
            }
        }
    }
}

extension World {
    package var violations: [Violation] { self.ports.truth.withLock { $0.checker.violations } }

    package var coverage: Coverage { self.ports.truth.withLock { $0.coverage } }

    /// Stands for all that was decided: see ``DecisionDigest``.
    package var digest: UInt64 { self.ports.truth.withLock { $0.digest.value } }

    /// As the controller has it in mind; as it is journaled, while none runs.
    package func rollout(of id: DeploymentID) -> Rollout? {
        self.isUp
            ? self.fleet.members[id]?.rollout : self.ports.truth.withLock { $0.journal.contents.members[id]?.rollout }
    }

    /// What the router serves.
    package func served(of id: DeploymentID) -> Traffic {
        self.ports.truth.withLock { $0.router.served.deployments[id]?.traffic ?? Traffic() }
    }

    /// How many replicas of each revision run, whatever their state.
    package func running(of id: DeploymentID) -> [Revision: Int] {
        self.ports.truth.withLock { truth in
            truth.machines.running.filter { $0.deployment == id }.reduce(into: [:]) { $0[$1.revision, default: 0] += 1 }
        }
    }

    package func counters(of id: DeploymentID) -> [Revision: TrackCounters] {
        self.ports.truth.withLock { $0.router.counters[id] ?? [:] }
    }

    /// As they are in the journal.
    package var transitions: [JournaledTransition] { self.ports.truth.withLock { $0.journal.transitions } }

    /// Nothing unless the world was made to keep them.
    package var records: [JournalRecord] { self.ports.truth.withLock { $0.journal.records ?? [] } }
}

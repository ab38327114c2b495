import Deployments
import Manifests
import Reconciliation
import Rollouts

/// What is true in a simulated world, whatever its controller knows of it: the time, the processes, what the router
/// serves, what git holds, what the journal says. The simulated ports act on it, and the checker looks at it.
struct Truth: Sendable {
    let scenario: Scenario
    /// Ticks since the beginning.
    var time = 0
    var now = Scenario.begin
    var dice: Dice
    /// For what was added to worlds later, so that the others stay as they were.
    var laterDice: Dice

    /// For what metric providers count; see ``laterDice``.
    var providerDice: Dice
    var scrapes = Scrapes()
    /// For what boards answer; see ``laterDice``.
    var signOffDice: Dice
    var signOffs = SignOffBook()

    /// The controller was killed: from here on nothing that it still does has any effect.
    var isDead = false
    /// How many ticks the next killed controller stays down.
    var downTime = 0
    /// What the controller was last shown of the platform.
    var sight = Sight()
    /// It drained these since.
    var drainsSinceLook: Set<ReplicaID> = []
    /// The replicas that were stopped, or had back while they drained, and when, in ticks.
    var toldSince: [ReplicaID: (state: Replica.State, tick: Int)] = [:]
    /// What the present controller last told the router of each deployment, or tried to.
    var attempted: [DeploymentID: Traffic] = [:]
    /// Of these nothing was promoted since they were to go: they begin anew, when somebody wants them after all.
    var begunAnew: Set<DeploymentID> = []
    /// So do these revisions, which were taken back before anything was promoted.
    var takenBack: [DeploymentID: Set<Revision>] = [:]
    private(set) var hasClockStepped = false
    private(set) var hasClockGoneBack = false

    /// Sorted by tick; those before `next` have happened.
    private let timeline: [Scenario.Happening]
    private var next = 0
    /// Until when what lasts does, in ticks.
    private var outages: [Fault: Int] = [:]
    /// What waits for something to strike, with its amount.
    private var armed: [Fault: Int] = [:]
    /// The operators' commands of this tick.
    var orders: [Order] = []

    var revisions: [Revision: Behaviour]
    var machines = Machines()
    var router = Wires()
    var git: [Repository]
    /// What each commit wants, by its id.
    var states: [String: DesiredState] = [:]
    /// The revision that each artifact is of, by its URI.
    var models: [String: Revision] = [:]
    /// Manifests that are gone, as the controller was told by its polls.
    var removals: [DeploymentID: Removal] = [:]
    var journal = Ledger()
    /// Those that an operator was told to stand.
    var promisedFreezes: [OperatorFreeze] = []
    var notes = NoteBook()
    var checker = Checker()
    /// Requests per second to each deployment.
    private(set) var traffic: Int
    var load = LoadBook()
    var coverage = Coverage()
    var digest = DecisionDigest()

    struct Sight: Sendable {
        /// The tick of the look; long ago for one who has seen nothing yet.
        var platform = -1000
        var replicas: [Replica] = []

        func count(_ revision: Revision, of id: DeploymentID) -> Int {
            self.replicas.count { $0.id.revision == revision && $0.id.deployment == id && $0.state == .ready }
        }

        func isReady(_ id: ReplicaID) -> Bool { self.replicas.contains { $0.id == id && $0.state == .ready } }
    }

    struct Order: Sendable {
        var deployment: DeploymentID
        /// Nothing is the word that a vanished manifest is meant.
        var command: Command?
        /// Then it is neither.
        var freeze: FreezeChange?
    }

    init(scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.timeline = scenario.happenings.enumerated().sorted {
            ($0.element.tick, $0.offset) < ($1.element.tick, $1.offset)
        }
        .map(\.element)
        self.dice = Dice(seed: seed ^ 0x5EED)
        self.laterDice = Dice(seed: seed ^ 0x1A7E)
        self.providerDice = Dice(seed: seed ^ 0x5C4A)
        self.signOffDice = Dice(seed: seed ^ 0x51_60FF)
        self.revisions = scenario.revisions
        self.traffic = scenario.traffic
        self.git = (0..<scenario.sources).map { Repository(name: Scenario.sourceName($0)) }
    }

    func behaviour(_ revision: Revision) -> Behaviour { self.revisions[revision] ?? Behaviour() }

    // MARK: - Time

    mutating func beginTick() {
        self.time += 1
        self.checker.time = self.time
        self.now = self.now + self.scenario.tick
        self.orders = []
        while self.next < self.timeline.count, self.timeline[self.next].tick <= self.time {
            self.happen(self.timeline[self.next].what)
            self.next += 1
        }
        if self.time == self.scenario.quietFrom {
            self.outages = [:]
            self.armed = [:]
        }
        self.live()
        self.carry()
    }

    var isOver: Bool { self.next == self.timeline.count && self.time > self.scenario.quietFrom }

    private mutating func happen(_ what: Scenario.What) {
        switch what {
        case .commit(let commit): self.push(commit)
        case .command(let id, let command): self.orders.append(Order(deployment: id, command: command))
        case .prune(let id): self.orders.append(Order(deployment: id))
        case .freeze(let change): self.orders.append(Order(deployment: Scenario.id, freeze: change))
        case .change(let revision, let behaviour):
            self.revisions[revision] = behaviour
            self.machines.touch()
        case .traffic(let traffic): self.traffic = traffic
        case .fault(let fault, let amount): self.begin(fault, amount)
        }
    }

    private mutating func begin(_ fault: Fault, _ amount: Int) {
        switch fault {
        case .platformOutage, .routerOutage, .journalOutage, .gitOutage, .notesOutage, .countersOutage,
            .partialCounters, .providerOutage, .providerSilence, .providerNonsense, .artifactOutage, .silence,
            .incident, .lateLooks:
            self.outages[fault] = self.time + amount
            self.coverage.see(.fault, fault.name)
        case .slowCall:
            self.armed[fault] = amount
            self.hasClockStepped = true
        case .effectFails, .effectAnswerLost, .routerSlow, .routerRejects, .journalFails,
            .journalAnswerLost, .settleFails, .noteAnswerLost, .journalLost, .kill:
            self.armed[fault] = amount
        case .routerForgets: self.forgetTable()
        case .counterReset:
            self.router.counters = [:]
            self.coverage.see(.fault, fault.name)
        case .replicaCrash, .replicaFlap: self.strikeReplica(fault)
        case .artifactLost: self.loseArtifact()
        case .clockForward, .clockBackward:
            self.now = self.now + .seconds(fault == .clockForward ? amount : -amount)
            self.hasClockStepped = true
            if fault == .clockBackward { self.hasClockGoneBack = true }
            self.coverage.see(.fault, fault.name)
        }
    }

    // MARK: - Faults

    func isGoingOn(_ fault: Fault) -> Bool {
        self.outages.isEmpty ? false : self.outages[fault].map { self.time < $0 } ?? false
    }

    /// Whether an armed fault strikes now, with its amount; it strikes once.
    mutating func strike(_ fault: Fault) -> Int? {
        guard !self.armed.isEmpty, let amount = self.armed.removeValue(forKey: fault) else { return nil }
        self.coverage.see(.fault, fault.name)
        return amount
    }

    /// Whether the controller dies at this point.
    mutating func dies(_ moment: Fault.Moment, _ call: Fault.Call) -> Bool {
        guard let amount = self.strike(.kill(call, moment)) else { return false }
        self.isDead = true
        self.downTime = amount
        return true
    }
}

import Analysis
import Deployments
import Rollouts

/// A rollout and an obedient world: every target is served at the next look.
struct Stage {
    var rollout: Rollout
    var now = Timestamp(milliseconds: 1_000_000)
    var counters: [Revision: TrackCounters] = [:]
    var transitions: [Transition] = []
    var answers: [CommandAnswer] = []
    /// What is seen of the replicas of a revision, when they are not simply ready.
    var replicas: [Revision: Replica.State] = [:]
    /// How many replicas of a revision become ready, when that are not all; the others are starting.
    var readyAtMost: [Revision: Int] = [:]
    var artifacts: [Revision: ArtifactState] = [:]
    var signatures: [Revision: String] = [:]
    var platformSeen = true
    var routerSeen = true
    var countersSeen = true
    /// Bad answers per hundred requests.
    var errors: [Revision: Int] = [:]
    var requestsPerTick = 1000
    var desired: Desired = .unknown
    var lastRouter: Reading<RouterState> = .unknown("not yet")
    var lastPlatform: Reading<[Replica]> = .unknown("not yet")
    /// Revisions of which a replica is seen although the target has none.
    var lingering: [Revision] = []
    var capacity: Capacity?
    var requestsInFlight: Double?
    var loadKnownSince: Timestamp?
    var freezes: [FreezeWindow]? = []
    /// What the router serves, when it is not simply the target.
    var served: Traffic?
    var dependencies: [DeploymentID] = []
    /// Why git was not read for too long, if so.
    var lostGit: String?
    /// What the provider answers in each tick about the gate `quality`.
    var measurement: Measurement.Answer?
    /// What the service behind the gate `board` says in each tick at a place.
    var board: [SignOff.Place: Measurement.Answer] = [:]
    /// Who asked for that, when it is no longer who is asking.
    var overtaken: SignOff.Asker?

    static let id = DeploymentID(namespace: "search", name: "file-type")
    static let good = Revision(digest: "aaaaaaaaaaaa")
    static let next = Revision(digest: "bbbbbbbbbbbb")
    static let third = Revision(digest: "cccccccccccc")

    static let policy = RolloutPolicy(
        steps: [5, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(3), atMost: .seconds(120))
        },
        gates: [.errors],
        bakeTime: .seconds(20),
        holdback: .none,
        progressDeadline: .seconds(30)
    )

    static func spec(_ revision: Revision, policy: RolloutPolicy = Self.policy, replicas: Int = 1) -> DeploymentSpec {
        DeploymentSpec(
            id: Self.id,
            revision: revision,
            origin: CommitReference(repository: "models", branch: "main", commit: String(revision.digest.prefix(8))),
            model: Model(name: "magika", version: String(revision.digest.prefix(1)), format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"]),
            replicas: replicas,
            objectives: [Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(720))],
            rollout: policy
        )
    }

    init() {
        self.rollout = Rollout(id: Self.id, at: self.now)
    }

    /// One revision serves, settled.
    static func settled(policy: RolloutPolicy = Self.policy) -> Stage {
        var stage = Stage()
        stage.desired = .spec(Self.spec(Self.good, policy: policy))
        stage.run(until: { $0.rollout.phase == .settled && $0.rollout.stable != nil })
        return stage
    }

    /// A canary of `next` serves its first step and was judged at least once.
    static func stepping(policy: RolloutPolicy = Self.policy) -> Stage {
        var stage = Self.settled(policy: policy)
        stage.desired = .spec(Self.spec(Self.next, policy: policy))
        stage.run { if case .stepping(0, .some) = $0.rollout.phase { true } else { false } }
        return stage
    }

    mutating func tick(_ commands: Command...) {
        self.now = self.now + .seconds(1)
        self.look()
        var situation = Situation(desired: self.desired, commands: commands, unhealthyDependencies: self.dependencies)
        situation.lostGit = self.lostGit
        situation.capacity = self.capacity
        self.loadKnownSince = self.requestsInFlight == nil ? nil : self.loadKnownSince ?? self.now
        if let requests = self.requestsInFlight, let since = self.loadKnownSince {
            situation.load = Load(requests: requests, knownSince: since)
        }
        situation.freezes = self.freezes
        situation.observation = Observation(
            artifacts: self.artifacts,
            replicas: self.lastPlatform,
            router: self.lastRouter
        )
        if self.routerSeen, self.countersSeen { situation.samples = [Sample(time: self.now, tracks: self.counters)] }
        situation.measurements =
            (self.measurement.map { [Measurement(gate: "quality", time: self.now, answer: $0)] } ?? [])
            + self.board.compactMap { place, answer in
                self.asked(place).map { Measurement(gate: "board", time: self.now, answer: answer, asker: $0) }
            }
        let outcome = self.rollout.handle(situation, at: self.now)
        self.transitions += outcome.transitions
        self.answers = outcome.answers
    }

    /// Whoever is asking there when the tick begins.
    private func asked(_ place: SignOff.Place) -> SignOff.Asker? {
        self.overtaken ?? self.rollout.signOff(place).map { SignOff.Asker(place, $0.revision) }
    }

    private func state(of ordinal: Int, _ revision: Revision) -> Replica.State {
        if let state = self.replicas[revision] { return state }
        return ordinal < self.readyAtMost[revision] ?? .max ? .ready : .starting
    }

    private mutating func look() {
        var target = self.rollout.target
        for revision in self.lingering { target.replicas[revision] = 1 }
        if self.platformSeen {
            self.lastPlatform = .known(
                target.replicas.sorted { $0.key < $1.key }.flatMap { revision, count in
                    (0..<count).map { ordinal in
                        Replica(
                            id: ReplicaID(deployment: Self.id, revision: revision, ordinal: ordinal),
                            state: self.state(of: ordinal, revision),
                            endpoint: Endpoint(host: "127.0.0.1", port: 1000 + ordinal),
                            lastFailure: self.replicas[revision] == nil ? nil : "exit code 1",
                            signature: self.signatures[revision]
                        )
                    }
                },
                at: self.now
            )
        }
        guard self.routerSeen else { return }
        self.lastRouter = .known(
            RouterState(traffic: self.served ?? target.traffic, warm: Set(target.replicas.keys)),
            at: self.now
        )
        for (revision, weight) in target.weights { self.count(weight.percent, of: revision) }
        if let mirror = target.traffic.mirror { self.count(mirror.percent.percent, of: mirror.revision) }
        for match in target.traffic.matches where match.headers != .preview { self.count(10, of: match.revision) }
    }

    private mutating func count(_ percent: Int, of revision: Revision) {
        let requests = Int64(self.requestsPerTick * percent / 100)
        self.counters[revision, default: TrackCounters()].requests += requests
        self.counters[revision, default: TrackCounters()].serverErrors +=
            requests * Int64(self.errors[revision] ?? 0) / 100
    }

    /// Ticks until the condition holds, at most 500 times.
    mutating func run(until condition: (Stage) -> Bool) {
        for _ in 0..<500 where !condition(self) { self.tick() }
    }

    var kinds: [Transition.Kind] { self.transitions.map(\.kind) }
    var weight: Int { self.rollout.target.weights[Self.next]?.percent ?? 0 }
}

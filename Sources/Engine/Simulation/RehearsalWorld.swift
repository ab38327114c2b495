import Analysis
import Deployments
import Planning
import Rollouts

/// Replicas that start in time, a router that obeys within a second, and answers as good as they are said to be.
struct RehearsalWorld {
    private let assumptions: Rehearsal.Assumptions
    private let canary: DeploymentSpec
    private let stable: DeploymentSpec
    private let times: RehearsedTimes
    private var dice: Dice
    private var provider = RehearsalProvider()
    private let start = Timestamp(milliseconds: 1_700_000_000_000)
    private var now = Timestamp(milliseconds: 1_700_000_000_000)
    private var replicas: [ReplicaID: Replica] = [:]
    private var startedAt: [ReplicaID: Timestamp] = [:]
    private(set) var served: Traffic
    private var told: Traffic
    private var counters: [Revision: TrackCounters] = [:]
    private(set) var rollout: Rollout
    private var approvalAskedAt: Timestamp?
    private var isCanaryPromoted = false
    private(set) var canaryAnswers: (requests: Int64, failures: Int64) = (0, 0)

    /// As the daemon's, unless configured.
    private static let poll: Duration = .seconds(1)

    init(spec: DeploymentSpec, _ assumptions: Rehearsal.Assumptions, seed: UInt64) {
        var stable = spec
        stable.revision = Revision(digest: "present" + String(repeating: "0", count: 57))
        stable.model.version = "present"
        stable.origin = CommitReference(repository: spec.origin.repository, branch: "main", commit: "present")
        (self.canary, self.stable, self.assumptions) = (spec, stable, assumptions)
        self.dice = Dice(seed: seed)
        self.times = RehearsedTimes(spec, metrics: assumptions.metrics)
        self.rollout = Rollout(id: spec.id, at: self.now)
        self.rollout.desired = stable
        self.rollout.stable = stable
        self.served = .all(to: stable.revision)
        self.told = self.served
        for ordinal in 0..<max(1, stable.replicas) {
            let id = ReplicaID(deployment: spec.id, revision: stable.revision, ordinal: ordinal)
            self.replicas[id] = Replica(id: id, state: .ready, endpoint: self.endpoint(of: id))
        }
    }

    var elapsed: Duration { self.now - self.start }

    /// The change is in, or taken back, and nothing goes on any more.
    var hasEnded: Bool { self.rollout.phase == .settled && self.elapsed > Self.poll }

    mutating func step() -> [Transition] {
        self.now = self.now + Self.poll
        self.live()
        self.served = self.told
        self.serve()
        var situation = self.situation()
        if self.isApprovalDue {
            situation.commands = [Command(.promote(full: false, force: false), by: "you", why: "assumed")]
        }
        let outcome = self.rollout.handle(situation, at: self.now)
        if outcome.transitions.contains(where: { $0.kind == .promoted }) { self.isCanaryPromoted = true }
        for effect in Planner(for: self.rollout, observed: situation.observation, now: self.now).plan().effects {
            self.apply(effect)
        }
        return outcome.transitions
    }

    // MARK: - What is true

    private mutating func live() {
        for (id, replica) in self.replicas {
            switch replica.state {
            case .starting:
                if self.now - (self.startedAt[id] ?? self.now) >= self.assumptions.startup {
                    self.replicas[id]?.state = .ready
                }
            case .stopping: self.replicas[id] = nil
            case .ready, .draining, .backingOff, .failed: break
            }
        }
    }

    private mutating func serve() {
        let whole = self.assumptions.rate.rounded(.down)
        let count = Int(whole) + (self.dice.chance(self.assumptions.rate - whole) ? 1 : 0)
        var left = (requests: count, percent: 100)
        // Nobody sends the header of a preview.
        let match = self.served.matches.first { $0.headers != .preview }
        if let match {
            let matched = self.dice.hits(of: count, probability: self.assumptions.matching)
            left.requests -= matched
            self.answerUsers(matched, by: match.revision)
        }
        for (revision, weight) in self.served.weights.sorted(by: { $0.key < $1.key }) where weight > .none {
            let share = self.dice.hits(of: left.requests, probability: Double(weight.percent) / Double(left.percent))
            left = (left.requests - share, left.percent - weight.percent)
            self.answerUsers(share, by: revision)
        }
        if let mirror = self.served.mirror {
            let copies = self.dice.hits(of: count, probability: Double(mirror.percent.percent) / 100)
            _ = self.answer(copies, by: mirror.revision)
        }
    }

    private mutating func answerUsers(_ count: Int, by revision: Revision) {
        let failures = self.answer(count, by: revision)
        guard revision == self.canary.revision, !self.isCanaryPromoted else { return }
        self.canaryAnswers.requests += Int64(count)
        self.canaryAnswers.failures += Int64(failures)
    }

    /// - Returns: How many failed.
    private mutating func answer(_ count: Int, by revision: Revision) -> Int {
        let isCanary = revision == self.canary.revision
        let quality = isCanary ? self.assumptions.canary : self.assumptions.stable
        let isUp = self.replicas.values.contains { $0.id.revision == revision && $0.state == .ready }
        let errors = self.dice.hits(of: count, probability: isUp ? quality.errors : 1)
        let client = self.dice.hits(of: count - errors, probability: quality.clientErrors)
        let slow = self.dice.hits(of: count, probability: quality.slow)
        var counters =
            self.counters[revision]
            ?? TrackCounters(latency: self.times.history(quick: 0, total: 0))
        counters.requests += Int64(count)
        counters.serverErrors += Int64(errors)
        counters.clientErrors += Int64(client)
        let within = self.times.within(count - slow, isCanary: isCanary, &self.dice)
        for index in within.indices { counters.latency.counts[index] += within[index] }
        counters.latency.total += Int64(count)
        self.counters[revision] = counters
        return errors + client
    }

    // MARK: - What is seen

    private mutating func situation() -> Situation {
        var situation = Situation(desired: .spec(self.canary))
        let seen = self.replicas.values.sorted { $0.id < $1.id }
        let ready = seen.filter { $0.state == .ready }
        situation.observation.replicas = .known(seen, at: self.now)
        situation.observation.router = .known(
            RouterState(
                traffic: self.served,
                warm: Set(ready.map(\.id.revision)),
                serving: Set(ready.compactMap { $0.endpoint?.description })
            ),
            at: self.now
        )
        for spec in [self.stable, self.canary] {
            situation.observation.artifacts[spec.revision] = .ready(path: "/", digest: "")
        }
        situation.samples = [Sample(time: self.now, tracks: self.counters)]
        situation.measurements = self.measure()
        // Ten thousand answers from before the merge.
        let quick = Int64((10_000 * (1 - self.assumptions.stable.slow)).rounded())
        situation.baseline = Baseline(latency: self.times.history(quick: quick, total: 10_000))
        return situation
    }

    private mutating func measure() -> [Measurement] {
        let asked =
            (self.rollout.analysis?.dueQueries(at: self.now) ?? []).map { (gate: $0, asker: SignOff.Asker?.none) }
            + (self.rollout.signOffs ?? []).flatMap { pending in
                (pending.run?.dueQueries(at: self.now) ?? []).map { ($0, pending.asker) }
            }
        return asked.compactMap { gate, asker in
            let question = RehearsalProvider.Question(
                gate: gate,
                canary: self.canary.revision,
                stable: self.stable.revision,
                counters: self.counters,
                mirror: self.rollout.target.traffic.mirror,
                split: self.served.split,
                assumed: self.assumptions.metrics[gate.name],
                time: self.now
            )
            var measurement = self.provider.answer(question, &self.dice)
            measurement?.asker = asker
            return measurement
        }
    }

    private var isApprovalDue: Bool {
        mutating get {
            let isAsked = self.rollout.holds.contains { hold in
                switch hold {
                case .awaitingApproval, .awaitingSignOff(_, needsApproval: true, _): true
                default: false
                }
            }
            guard isAsked, let patience = self.assumptions.approval else {
                self.approvalAskedAt = nil
                return false
            }
            let asked = self.approvalAskedAt ?? self.now
            self.approvalAskedAt = asked
            guard self.now - asked >= patience else { return false }
            self.approvalAskedAt = nil
            return true
        }
    }

    // MARK: - What is done

    private mutating func apply(_ effect: Effect) {
        switch effect {
        case .route(let traffic): self.told = traffic
        case .fetch: break
        case .start(let id):
            guard self.replicas[id] == nil else { break }
            self.replicas[id] = Replica(id: id, state: .starting, endpoint: self.endpoint(of: id))
            self.startedAt[id] = self.now
        case .undrain(let id): self.replicas[id]?.state = .ready
        case .drain(let id): self.replicas[id]?.state = .draining(since: self.now)
        case .stop(let id): self.replicas[id]?.state = .stopping
        }
    }

    private func endpoint(of id: ReplicaID) -> Endpoint {
        Endpoint(host: id.revision.short, port: 1 + id.ordinal)
    }

    // MARK: - Words

    /// What holds the rollout, without what changes with every sample in `kind`.
    var holds: [(kind: String, message: String)] {
        self.rollout.holds.map { hold in
            switch hold {
            case .paused(let by, _, _): ("paused", "paused by \(by)")
            case .awaitingApproval(let step): ("approval \(step)", "step \(step + 1) waits for an approval")
            case .awaitingSignOff(let place, let needsApproval, let gates):
                ("sign-off \(place)", "\(place) it takes \(SignOff.words(needsApproval: needsApproval, gates: gates))")
            case .inconclusive(let step):
                ("inconclusive \(step)", "step \(step + 1) has no verdict within `atMost` and waits for a person")
            case .gateHolds(let gate, let evidence): ("gate \(gate)", "gate \(gate) failed and holds: \(evidence)")
            case .noEvidence(let gate, let why): ("evidence \(gate)", "gate \(gate) has no evidence: \(why)")
            case .sharedIncident: ("incident", "stable and canary both break the objective")
            case .staleObservation(let what): ("stale \(what)", what)
            case .dependencies(let names):
                ("dependencies", "waits for \(names.map(\.description).joined(separator: ", "))")
            case .frozen(let window, let until): ("frozen", "the freeze \(window) lasts until \(until.utc)")
            case .noRoom(let why): ("no room", why)
            case .noRoomToScale(let needed, let fits, let why):
                ("no room to scale", "needs \(needed) replicas, room for \(fits): \(why)")
            }
        }
    }

    func text(of traffic: Traffic) -> String {
        let canary = traffic[self.canary.revision]
        let copies = traffic.mirror.map { ", and copies of \($0.percent)" } ?? ""
        let matched = traffic.matches.filter { $0.revision == self.canary.revision }
            .map { ", and requests where \($0.headers)" }.joined()
        return "the canary gets \(canary)\(matched)\(copies)"
    }
}

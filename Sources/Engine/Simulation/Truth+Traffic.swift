import Deployments
import Reconciliation
import Rollouts

/// The router: which table it serves, and what it counted.
struct Wires: Sendable {
    /// What it was last told, and from which tick on that holds; nothing once it does.
    var told: RoutingTable?
    var toldFrom = 0
    /// What has no traffic by what it was last told, as one revision was taking another's place.
    var gaps: Set<DeploymentID> = []
    /// When it was last told something, and from when the look was that its controller had then.
    var toldBy = (tick: 0, look: Timestamp(milliseconds: 0))
    /// From when the last look is that reached the controller.
    var lastLook = Timestamp(milliseconds: 0)
    private(set) var served = RoutingTable()
    /// The table before the one served.
    private(set) var before = RoutingTable()
    var rejection: String?
    var counters: [DeploymentID: [Revision: TrackCounters]] = [:]
    private(set) var lanes: [Lane] = []
    /// What a look would show, as long as neither the table nor the machines change.
    var states: [DeploymentID: RouterState]?
    var seenVersion = -1
    /// When it last went back to an earlier table, in ticks; long ago for one that never did.
    var forgotAt = -1000
    var forgotTime = Timestamp(milliseconds: 0)

    /// Who told it what it is to serve cannot have known what it serves: it went back to an earlier table since.
    var isToldBlindly: Bool { self.forgotAt >= self.toldBy.tick || self.forgotTime >= self.toldBy.look }
    /// It went back to an older table since it was seen last.
    var isServingUnseen: Bool { self.forgotTime > self.lastLook }

    /// A part of a deployment's requests and who gets it.
    struct Lane: Sendable {
        var deployment: DeploymentID
        var revision: Revision
        var share: Share
        var ports: [Int]

        enum Share: Sendable {
            /// One in fifty has what a step's match asks for.
            case matched
            /// Copies of so many percent of what the weights decide on.
            case copied(Int)
            /// So many percent.
            case weight(Int)
        }
    }

    mutating func serve(_ table: RoutingTable) {
        self.before = self.served
        self.served = table
        self.states = nil
        self.lanes = []
        for (id, entry) in table.deployments.sorted(by: { $0.key < $1.key }) {
            let traffic = entry.traffic
            var shares: [(Revision, Lane.Share)] = []
            for match in traffic.matches where match.headers != .preview { shares.append((match.revision, .matched)) }
            if let mirror = traffic.mirror { shares.append((mirror.revision, .copied(mirror.percent.percent))) }
            let weights = traffic.weights.filter { $0.value > .none }.sorted { $0.key < $1.key }
            for (revision, weight) in weights { shares.append((revision, .weight(weight.percent))) }
            for (revision, share) in shares {
                let backends = (entry.backends[revision] ?? []).filter { !$0.isDraining }
                let ports = backends.map(\.endpoint.port)
                self.lanes.append(Lane(deployment: id, revision: revision, share: share, ports: ports))
            }
        }
    }

    func weight(_ revision: Revision, of id: DeploymentID) -> TrafficWeight {
        self.served.deployments[id]?.traffic[revision] ?? .none
    }
}

extension Truth {
    /// The router takes what it was told, and requests are answered as the revisions really are.
    mutating func carry() {
        if self.scenario.countsWrong { self.scrapes.scrape(tick: self.time, at: self.now) }
        if let told = self.router.told, self.time >= self.router.toldFrom {
            self.checkServing(told)
            self.router.serve(told)
            self.router.told = nil
        }
        let hasLoad = self.scenario.serviceTime > .zero
        if hasLoad { self.load.begin(self.demand, at: self.now) }
        if self.isGoingOn(.silence) { return }
        let isIncident = self.isGoingOn(.incident)
        let count = Int(Double(self.traffic) * self.scenario.tick.inSeconds)
        var left = (requests: count, percent: 100)
        var last: DeploymentID?
        for lane in self.router.lanes {
            if lane.deployment != last { left = (count, 100) }
            last = lane.deployment
            let requests: Int
            switch lane.share {
            case .matched:
                requests = self.dice.hits(of: left.requests, probability: 0.02)
                left.requests -= requests
            case .copied(let percent):
                requests = self.dice.hits(of: left.requests, probability: Double(percent) / 100)
            case .weight(let percent):
                requests = self.dice.hits(of: left.requests, probability: Double(percent) / Double(left.percent))
                left = (left.requests - requests, left.percent - percent)
            }
            guard requests > 0 else { continue }
            self.answer(requests, lane, isIncident: isIncident)
            if hasLoad { self.occupy(lane, with: requests) }
        }
    }

    private mutating func answer(_ requests: Int, _ lane: Wires.Lane, isIncident: Bool) {
        let behaviour = self.behaviour(lane.revision)
        let isUp = lane.ports.contains { self.machines.isReady(port: $0) }
        let own = behaviour.errors(at: self.router.weight(lane.revision, of: lane.deployment))
        let rate = isUp ? (isIncident ? max(0.3, own) : own) : 1
        let errors = min(
            requests,
            self.dice.hits(of: requests / behaviour.burst, probability: rate) * behaviour.burst
        )
        let client = self.dice.hits(of: requests - errors, probability: behaviour.clientErrors)
        let slow = self.dice.hits(of: requests, probability: behaviour.slow)
        let inTime = self.answerTimes(of: requests - slow, behaviour)
        let none = self.scenario.showsAnswerTimes ? Self.noAnswers : Self.noRequests
        let count = { (counters: inout TrackCounters) in
            counters.requests += Int64(requests)
            counters.serverErrors += Int64(errors)
            counters.clientErrors += Int64(client)
            for index in inTime.indices { counters.latency.counts[index] += Int64(inTime[index]) }
            counters.latency.total += Int64(requests)
        }
        count(&self.router.counters[lane.deployment, default: [:]][lane.revision, default: none])
        self.countWrong(of: requests - errors - client, lane.revision)
    }

    private static let noRequests = TrackCounters(latency: LatencyHistogram(bounds: [250], counts: [0]))
    private static let noAnswers = TrackCounters(
        latency: LatencyHistogram(bounds: [25, 50, 100, 250], counts: [0, 0, 0, 0])
    )

    /// - Returns: Of answers within the latency bound, how many are within each bound of the histogram.
    private mutating func answerTimes(of answers: Int, _ behaviour: Behaviour) -> [Int] {
        guard self.scenario.showsAnswerTimes else { return [answers] }
        var (left, counts) = (answers, [0, 0, 0, 0])
        // 40, 40, 15 and 5 percent of them.
        for (bin, share) in [0.4, 0.4 / 0.6, 0.15 / 0.2, 1].enumerated() {
            let hits = self.laterDice.hits(of: left, probability: share)
            left -= hits
            let late = bin < 3 ? self.laterDice.hits(of: hits, probability: behaviour.sluggish) : 0
            counts[bin] += hits - late
            counts[min(3, bin + 1)] += late
        }
        return counts.indices.map { counts[...$0].reduce(0, +) }
    }

    mutating func tell(_ table: RoutingTable) {
        if self.strike(.routerRejects) != nil {
            self.router.rejection = "the router refuses it"
            return
        }
        self.router.rejection = nil
        self.router.told = table
        // A gap lasts until traffic is asked for again, also when the replacement was given up.
        let (journal, gaps) = (self.journal, self.router.gaps)
        self.router.gaps = Set(
            table.deployments.filter { id, entry in
                entry.traffic.isEmpty && (gaps.contains(id) || journal.member(id)?.rollout.isReplacement ?? false)
            }.keys
        )
        self.router.toldBy = (self.time, self.router.lastLook)
        self.router.toldFrom = self.time + (self.strike(.routerSlow) ?? 1)
        self.router.states = nil
    }

    mutating func forgetTable() {
        guard !self.router.before.deployments.isEmpty else { return }
        self.coverage.see(.fault, Fault.routerForgets.name)
        self.router.serve(self.router.before)
        self.router.forgotAt = self.time
        self.router.forgotTime = self.now
    }

    // MARK: - What a look shows

    mutating func lookAtRouter() -> RouterObservation {
        var samples: [DeploymentID: Sample] = [:]
        if !self.isGoingOn(.countersOutage) {
            for (id, tracks) in self.router.counters {
                var tracks = tracks
                if self.isGoingOn(.partialCounters), let lost = tracks.keys.max() { tracks[lost] = nil }
                samples[id] = Sample(time: self.now, tracks: tracks)
            }
        }
        return RouterObservation(time: self.now, states: self.routerStates(), samples: samples)
    }

    private mutating func routerStates() -> [DeploymentID: RouterState] {
        let hasLoad = self.scenario.serviceTime > .zero
        if let states = self.router.states, self.router.seenVersion == self.machines.version, !hasLoad { return states }
        var states: [DeploymentID: RouterState] = [:]
        for (id, entry) in self.router.served.deployments {
            var state = RouterState(traffic: entry.traffic, rejection: self.router.rejection)
            for (revision, backends) in entry.backends {
                for backend in backends {
                    guard let replica = self.machines.byPort[backend.endpoint.port],
                        let process = self.machines.processes[replica]
                    else { continue }
                    if backend.isDraining {
                        // Requests in flight when it was told take a moment; where a scenario says how long, less than
                        // a tick.
                        if !hasLoad, self.time - process.drainedAt <= 1 { state.activeRequests[process.address] = 1 }
                    } else {
                        state.serving.insert(process.address)
                        if hasLoad {
                            state.activeRequests[process.address] = self.load.inFlight[backend.endpoint.port]
                        }
                        if process.state == .ready { state.warm.insert(revision) }
                    }
                }
            }
            states[id] = state
        }
        self.router.states = states
        self.router.seenVersion = self.machines.version
        return states
    }
}

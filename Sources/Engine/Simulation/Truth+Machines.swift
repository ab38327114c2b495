import Deployments
import Reconciliation
import Rollouts

/// The processes that run, and the artifacts they run from.
struct Machines: Sendable {
    private(set) var processes: [ReplicaID: Process] = [:]
    /// The keys of `processes`, sorted.
    private(set) var running: [ReplicaID] = []
    private(set) var byPort: [Int: ReplicaID] = [:]
    /// When each artifact is here, in ticks, by its URI.
    var artifacts: [String: Int] = [:]
    /// What a look would show, if nothing changed since the last one.
    private var seen: [Replica]?
    /// Counts changes.
    private(set) var version = 0
    private var lastPort = 0

    struct Process: Sendable {
        var startedAt: Int
        var state: Replica.State
        /// In ticks; for how long requests in flight take.
        var drainedAt = 0
        /// How it was when it began to drain, which it is again when it is had back.
        var drainedFrom = Replica.State.ready
        var restarts = 0
        /// Its model has answered in this run, so its signature is known.
        var hasAnswered = false
        let endpoint: Endpoint
        /// `host:port`, as the router reports it.
        let address: String
    }

    mutating func touch() {
        self.seen = nil
        self.version += 1
    }

    mutating func start(_ id: ReplicaID, at time: Int) {
        guard self.processes[id] == nil else { return }
        self.lastPort += 1
        let endpoint = Endpoint(host: "h", port: self.lastPort)
        self.byPort[self.lastPort] = id
        self.processes[id] = Process(
            startedAt: time,
            state: .starting,
            endpoint: endpoint,
            address: endpoint.description
        )
        self.running = self.processes.keys.sorted()
        self.touch()
    }

    mutating func end(_ id: ReplicaID) {
        guard let process = self.processes.removeValue(forKey: id) else { return }
        self.byPort[process.endpoint.port] = nil
        self.running.removeAll { $0 == id }
        self.touch()
    }

    mutating func change(_ id: ReplicaID, _ change: (inout Process) -> Void) {
        guard var process = self.processes[id] else { return }
        change(&process)
        self.processes[id] = process
        self.touch()
    }

    func isReady(port: Int) -> Bool {
        guard let id = self.byPort[port], let state = self.processes[id]?.state else { return false }
        return state == .ready
    }

    func isReady(_ revision: Revision, of deployment: DeploymentID) -> Bool {
        self.processes.contains { id, process in
            id.revision == revision && id.deployment == deployment && process.state == .ready
        }
    }

    /// What a complete look shows now.
    mutating func look(_ behaviour: (Revision) -> Behaviour) -> [Replica] {
        if let seen = self.seen { return seen }
        let replicas = self.running.compactMap { id in
            self.processes[id].map { process in
                Replica(
                    id: id,
                    state: process.state,
                    endpoint: process.endpoint,
                    restarts: process.restarts,
                    lastFailure: process.restarts > 0 ? "exit code 1" : nil,
                    signature: process.hasAnswered ? behaviour(id.revision).signature : nil
                )
            }
        }
        self.seen = replicas
        return replicas
    }
}

extension Truth {
    /// Processes start, crash and come back.
    mutating func live() {
        if self.isGoingOn(.artifactOutage) { self.delayArtifacts() }
        for id in self.machines.running {
            guard let process = self.machines.processes[id] else { continue }
            let behaviour = self.behaviour(id.revision)
            switch process.state {
            case .starting:
                guard let ticks = behaviour.startTicks, self.time - process.startedAt >= ticks else { continue }
                self.machines.change(id) {
                    $0.state = behaviour.failsGolden ? .failed : .ready
                    $0.hasAnswered = !behaviour.failsGolden
                }
            case .ready:
                if behaviour.crashes > 0, self.dice.chance(behaviour.crashes) {
                    self.crash(id)
                } else if behaviour.flaps > 0, self.dice.chance(behaviour.flaps) {
                    self.flap(id)
                }
            case .backingOff(let until):
                guard until <= self.now else { continue }
                let time = self.time
                self.machines.change(id) {
                    $0.state = .starting; $0.startedAt = time
                }
            case .stopping:
                self.machines.end(id)
            case .draining:
                // Requests in flight end one by one.
                if self.time - process.drainedAt <= 2 { self.machines.touch() }
            case .failed:
                continue
            }
        }
    }

    private mutating func crash(_ id: ReplicaID) {
        let until = self.now + .seconds(3)
        self.machines.change(id) {
            $0.state = .backingOff(until: until); $0.restarts += 1
            $0.hasAnswered = false
        }
    }

    private mutating func flap(_ id: ReplicaID) {
        let start = self.time - (self.behaviour(id.revision).startTicks ?? 1) + 1
        self.machines.change(id) {
            $0.state = .starting; $0.startedAt = start
        }
    }

    mutating func strikeReplica(_ fault: Fault) {
        let ready = self.machines.running.filter { self.machines.processes[$0]?.state == .ready }
        guard !ready.isEmpty else { return }
        self.coverage.see(.fault, fault.name)
        let id = self.dice.pick(ready)
        if fault == .replicaFlap { self.flap(id) } else { self.crash(id) }
    }

    // MARK: - Artifacts

    mutating func loseArtifact() {
        guard let uri = self.machines.artifacts.keys.min() else { return }
        self.coverage.see(.fault, Fault.artifactLost.name)
        self.machines.artifacts[uri] = nil
    }

    mutating func fetch(_ uri: String) {
        guard self.machines.artifacts[uri] == nil else { return }
        self.machines.artifacts[uri] = self.time + self.behaviour(ofArtifact: uri).fetchTicks
    }

    /// With a full disk, what is not here yet does not come.
    private mutating func delayArtifacts() {
        for (uri, time) in self.machines.artifacts where time >= self.time { self.machines.artifacts[uri] = time + 1 }
    }

    func artifact(_ uri: String) -> ArtifactState {
        guard let time = self.machines.artifacts[uri] else { return .absent }
        if time <= self.time { return self.models[uri].flatMap { self.revisions[$0]?.artifact } ?? Self.good }
        return self.isGoingOn(.artifactOutage) ? .retrying("the disk is full") : .fetching(received: 1, total: nil)
    }

    private static let good = Behaviour().artifact

    private func behaviour(ofArtifact uri: String) -> Behaviour {
        self.models[uri].map(self.behaviour) ?? Behaviour()
    }
}

package import Deployments
import Foundation
package import Logging
package import Reconciliation
package import Transport

/// Runs replicas as processes of this machine that outlive the controller.
///
/// What should run is a record on the disk; ``run()`` accompanies one supervisor per record, which starts its process,
/// probes it, starts it again when it ends, and ends it when told. All state belongs to this actor: a supervisor
/// changes it only between two waits, and looks at it anew after each.
package actor LocalReplicas: ServingPlatform {
    /// What is known of a replica beyond its record.
    struct Entry {
        var record: ReplicaRecord
        var process: DetachedProcess?
        /// Wakes its supervisor.
        var wake: AsyncStream<Void>.Continuation?
    }

    let configuration: LocalReplicasConfiguration
    let client: HTTPClient
    let now: @Sendable () -> Timestamp
    let store: ReplicaRecordStore
    var ports: PortPool
    var entries: [ReplicaID: Entry] = [:]
    private let logger: Logger
    private var isLoaded = false

    /// Yields whenever a replica's state changed. For one reader; changes that it missed count as one.
    package nonisolated let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation
    /// Replicas that need a supervisor.
    private let arrivals: AsyncStream<ReplicaID>
    private let arrived: AsyncStream<ReplicaID>.Continuation

    package init(
        configuration: LocalReplicasConfiguration,
        client: HTTPClient,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp = {
            Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        }
    ) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
        self.now = now
        self.store = ReplicaRecordStore(directory: "\(configuration.directory)/replicas")
        self.ports = PortPool(host: configuration.routerHost, range: configuration.ports)
        (self.changes, self.changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (self.arrivals, self.arrived) = AsyncStream.makeStream()
    }

    /// Supervises all replicas until the task is cancelled. Their processes go on running then. Call it once.
    package func run() async {
        do {
            try self.load()
        } catch {
            // Every call of the port says so too, and tries again.
            self.logger.error("The replicas' records cannot be read", metadata: ["error": "\(error)"])
        }
        await withDiscardingTaskGroup { group in
            for await id in self.arrivals {
                group.addTask { await self.supervise(id) }
            }
            group.cancelAll()
        }
    }

    package func replicas() throws(PlatformError) -> [Replica] {
        try self.load()
        return self.entries.values.map(\.record.replica).sorted { $0.id < $1.id }
    }

    package func start(_ id: ReplicaID, as launch: ReplicaLaunch) throws(PlatformError) {
        try self.load()
        if let entry = self.entries[id] {
            guard entry.record.phase == .stopping else { return }
            throw PlatformError(
                code: .invalidState,
                message: "replica \(id) is still stopping: start it once it is gone",
                recovery: .wait(.seconds(1))
            )
        }
        let port = try self.ports.take(except: Set(self.entries.values.map(\.record.endpoint.port)))
        let endpoint = Endpoint(host: self.configuration.routerHost, port: port)
        let record = ReplicaRecord(id: id, launch: launch, endpoint: endpoint)
        // What is wrong with the runtime is told to the caller now, not by a replica that fails later.
        _ = try self.spawnRequest(for: record)
        _ = try ReplicaProbe(client: self.client, endpoint: endpoint, launch: launch)
        try self.store.save(record)
        self.add(Entry(record: record))
    }

    package func drain(_ id: ReplicaID) throws(PlatformError) {
        try self.load()
        let record = try self.existing(id)
        guard record.drainingSince == nil, record.phase != .stopping else { return }
        try self.update(id) { $0.drainingSince = self.now() }
    }

    package func undrain(_ id: ReplicaID) throws(PlatformError) {
        try self.load()
        let record = try self.existing(id)
        guard record.phase != .stopping else {
            throw PlatformError(
                code: .invalidState,
                message: "replica \(id) is stopping: start another one",
                recovery: .retry
            )
        }
        guard record.drainingSince != nil else { return }
        try self.update(id) { $0.drainingSince = nil }
    }

    package func stop(_ id: ReplicaID) throws(PlatformError) {
        try self.load()
        guard let entry = self.entries[id], entry.record.phase != .stopping else { return }
        try self.update(id) { $0.phase = .stopping }
    }
}

extension LocalReplicas {
    /// Writes a changed record, then takes it over, then tells everybody.
    func update(_ id: ReplicaID, _ change: (inout ReplicaRecord) -> Void) throws(PlatformError) {
        guard let entry = self.entries[id] else { return }
        var record = entry.record
        change(&record)
        guard record != entry.record else { return }
        try self.store.save(record)
        self.entries[id]?.record = record
        self.tell(record, before: entry.record)
        self.entries[id]?.wake?.finish()
    }

    /// As ``update(_:_:)`` for what happened anyway: what the disk does not take is still true.
    func note(_ id: ReplicaID, _ change: (inout ReplicaRecord) -> Void) {
        guard let entry = self.entries[id] else { return }
        var record = entry.record
        change(&record)
        guard record != entry.record else { return }
        do {
            try self.store.save(record)
        } catch {
            self.log(.error, "A replica's record cannot be written", id, ["error": "\(error)"])
        }
        self.entries[id]?.record = record
        self.tell(record, before: entry.record)
    }

    /// Forgets a replica whose processes are gone.
    func forget(_ id: ReplicaID) throws(PlatformError) {
        guard let entry = self.entries[id] else { return }
        try self.store.remove(entry.record)
        self.entries[id] = nil
        self.changed.yield()
        self.log(.info, "Replica stopped", id)
    }

    func log(_ level: Logger.Level, _ message: Logger.Message, _ id: ReplicaID, _ more: Logger.Metadata = [:]) {
        let metadata: Logger.Metadata = ["replica.id": "\(id)"]
        self.logger.log(level: level, message, metadata: metadata.merging(more) { $1 })
    }

    private func tell(_ record: ReplicaRecord, before: ReplicaRecord) {
        let (replica, old) = (record.replica, before.replica)
        guard replica != old else { return }
        self.changed.yield()
        guard replica.state != old.state else { return }
        self.log(.info, "Replica changed", record.id, ["replica.state": "\(replica.state)"])
    }

    private func add(_ entry: Entry) {
        self.entries[entry.record.id] = entry
        self.arrived.yield(entry.record.id)
        self.changed.yield()
    }

    private func existing(_ id: ReplicaID) throws(PlatformError) -> ReplicaRecord {
        guard let entry = self.entries[id] else {
            throw PlatformError(
                code: .invalidState,
                message: "there is no replica \(id): it was stopped, or never started",
                recovery: .retry
            )
        }
        return entry.record
    }

    /// Reads what an earlier controller left, once, and takes its processes over.
    private func load() throws(PlatformError) {
        guard !self.isLoaded else { return }
        let records = try self.store.load()
        self.isLoaded = true
        for record in records {
            self.ports.skip(past: record.endpoint.port)
            self.recover(record)
        }
    }

    private func recover(_ record: ReplicaRecord) {
        let id = record.id
        if let identity = record.identity {
            let process = DetachedProcess.adopt(identity)
            self.add(Entry(record: record, process: process))
            guard process == nil else { return self.log(.info, "Replica adopted", id) }
            switch record.phase {
            case .starting, .ready: self.noteCrash(id, "ended while the controller was not running")
            case .backingOff, .stopping, .failed: self.note(id) { $0.identity = nil }
            }
            return
        }
        // An earlier controller may have ended between the start of the process and the note of its identity.
        let process = record.phase == .starting || record.phase == .stopping ? record.marker.leader() : nil
        self.add(Entry(record: record, process: process))
        guard let process else { return }
        self.note(id) { $0.identity = process.identity }
        self.log(.info, "Replica adopted by its marker", id)
    }
}

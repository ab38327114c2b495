package import Deployments
import Foundation
package import Logging
package import Reconciliation
package import Transport

/// Splits requests with Envoy, which is told everything by files and outlives the controller.
///
/// What it serves is never taken from memory: Envoy names the version of the routes that it serves, and the ledger
/// tells what that version was.
package actor EnvoyRouter: TrafficRouter {
    let configuration: EnvoyConfiguration
    let files: EnvoyFiles
    let logger: Logger
    let now: @Sendable () -> Timestamp
    /// Is told of every table; nothing where no answers are compared.
    private let tap: AnswerTap?
    private let admin: EnvoyAdmin
    /// Nothing before the folder was read.
    private(set) var ledger: EnvoyLedger?
    /// Nothing before the first ``apply(_:)``: until then Envoy goes on with what it has.
    private var table: RoutingTable?
    private var sight: EnvoySight?
    private var sightsBegun = 0
    private var refusals: [DeploymentID: String] = [:]
    private var rejections = EnvoyRejections()
    private var draining = DrainingEndpoints()
    /// Files may differ from the ledger: a write failed, or the folder is an earlier controller's.
    private var mustRepair = true
    var supervision = Supervision.notStarted

    enum Supervision: Sendable {
        case notStarted
        case running(DetachedProcess)
        /// With the reason, for people.
        case ended(String)
        case stopped
    }

    package init(
        configuration: EnvoyConfiguration,
        client: HTTPClient,
        tap: AnswerTap? = nil,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.configuration = configuration
        self.tap = tap
        self.files = EnvoyFiles(directory: configuration.directory)
        self.logger = logger
        self.now = now
        self.admin = EnvoyAdmin(client: client, socket: self.files.adminSocket)
    }

    /// Writes what of the table can be written now. New revisions that are not warm yet get their weight as soon as
    /// they are, from here, from ``observe()`` or from ``run()``; until then the deployment's present weights stand.
    ///
    /// - Throws: `limitReached` or `invalidState` with nothing written, when Envoy could not take the table;
    ///   `invalidState` when the folder can't be written, the next call goes on then.
    package func apply(_ table: RoutingTable) async throws(PlatformError) {
        try self.prepare()
        try self.check(table)
        let known = Set((self.ledger?.clusters ?? [:]).keys)
        let (admitted, refusal) = InotifyLimit.current()?.admit(table, known: known) ?? (table, nil)
        self.table = admitted
        self.tap?.follow(admitted)
        if self.sight == nil {
            // After a start nothing is known to be warm. Without an answer the change of weights waits.
            do {
                try await self.look()
            } catch {
                self.logger.debug("Envoy not observed before applying", metadata: ["error": "\(error)"])
            }
        }
        try self.advance()
        if let refusal { throw refusal }
    }

    package func observe() async throws(PlatformError) -> RouterObservation {
        try self.prepare()
        try await self.look()
        let observation = try self.observation()
        do {
            try self.advance()
        } catch {
            // The next apply throws it again, if it lasts; what was seen is true all the same.
            self.logger.warning("Envoy's files not written", metadata: ["error": "\(error)"])
        }
        return observation
    }

    // MARK: - Writing

    private func check(_ table: RoutingTable) throws(PlatformError) {
        var names: [String: Revision] = [:]
        for (deployment, entry) in table.deployments {
            // It is part of the names of files, and of an answer that Envoy limits to 4096 bytes.
            guard deployment.description.utf8.count <= 150 else {
                throw .invalidState("the name of \(deployment.description.prefix(150))… is longer than 150 bytes")
            }
            for (revision, backends) in entry.backends {
                let name = EnvoyCluster.name(deployment, revision)
                guard names.updateValue(revision, forKey: name) == nil, name.utf8.count <= 240 else {
                    throw .invalidState("\(deployment): two revisions, or a name too long, for the cluster \(name)")
                }
                for backend in backends where !backend.endpoint.isAddress {
                    throw .invalidState("\(deployment): \(backend.endpoint) is not an IP address and a port")
                }
            }
        }
    }

    /// Writes the next steps towards the table.
    func advance() throws(PlatformError) {
        if self.mustRepair { try self.repair() }
        guard let table = self.table, let ledger = self.ledger else { return }
        try self.execute(self.plan(to: table, from: ledger, knowing: self.sight))
    }

    private func plan(to table: RoutingTable, from ledger: EnvoyLedger, knowing sight: EnvoySight?) -> EnvoyPlan {
        EnvoyPlan(
            to: table,
            from: ledger,
            warm: sight.map(ledger.warm(in:)) ?? [],
            clustersVersion: sight?.statistics.clusterSource.version,
            at: self.now()
        )
    }

    /// Whether something of the table waits for Envoy.
    var isPending: Bool {
        guard let table = self.table, let ledger = self.ledger else { return false }
        if self.mustRepair || !ledger.leaving.isEmpty || ledger.history.count > 1 { return true }
        return table.deployments.contains { deployment, entry in
            ledger.routes[deployment]?.traffic != entry.traffic.filter { _ in true }
        }
    }

    private func execute(_ plan: EnvoyPlan) throws(PlatformError) {
        self.refusals = plan.refusals
        guard plan.ledger != self.ledger else { return }
        self.ledger = plan.ledger
        self.mustRepair = true
        var isSaved = false
        for step in plan.steps {
            switch step {
            case .endpoints(let name): try self.writeEndpoints(name, plan.ledger)
            case .clusters: try self.files.write(plan.ledger.clustersFile(self.files), to: self.files.clusters)
            case .routes:
                // First what the version means, then the version.
                try self.save(plan.ledger)
                isSaved = true
                try self.files.write(plan.ledger.routesFile(), to: self.files.routes)
            case .remove(let name): try self.files.remove(self.files.endpoints(of: name))
            }
        }
        if !isSaved { try self.save(plan.ledger) }
        self.mustRepair = false
    }

    private func writeEndpoints(_ name: String, _ ledger: EnvoyLedger) throws(PlatformError) {
        guard let bytes = ledger.endpointsFile(name) else { return }
        try self.files.write(bytes, to: self.files.endpoints(of: name))
    }

    private func save(_ ledger: EnvoyLedger) throws(PlatformError) {
        do {
            try self.files.write(Array(JSONEncoder().encode(ledger)), to: self.files.ledger)
        } catch let error as PlatformError {
            throw error
        } catch {
            throw .invalidState("the router's ledger can't be encoded: \(error)")
        }
    }

    // MARK: - Reading

    private func look() async throws(PlatformError) {
        if case .ended(let reason) = self.supervision {
            throw PlatformError(code: .routerUnreachable, message: reason, recovery: .retry)
        }
        self.sightsBegun += 1
        let number = self.sightsBegun
        let statistics = try await self.admin.statistics()
        let time = self.now()
        let hosts = try await self.admin.hosts()
        guard number > self.sight?.number ?? 0 else { return }
        self.sight = EnvoySight(time: time, statistics: statistics, hosts: hosts, number: number)
        if let version = statistics.routes.version { self.ledger?.acknowledge(routes: version) }
        self.draining.note(hosts, at: time)
        if let ledger = self.ledger { self.rejections.note(statistics, ledger: ledger) }
    }

    private func observation() throws(PlatformError) -> RouterObservation {
        guard let sight = self.sight, let ledger = self.ledger else {
            throw PlatformError(code: .routerUnreachable, message: "Envoy was not observed yet", recovery: .retry)
        }
        return try EnvoyReport(
            sight: sight,
            ledger: ledger,
            refusals: self.refusals,
            rejections: self.rejections,
            stillServing: self.draining.within(self.configuration.settleTime, at: sight.time),
            rejectionText: { self.files.lastRejection() }
        ).observation()
    }

    /// What was known of a process that has ended.
    func forgetSight() {
        self.sight = nil
        self.rejections = EnvoyRejections()
    }

    /// Looks and writes again, while something waits for Envoy.
    ///
    /// - Returns: Whether something waited.
    func advanceWhilePending() async -> Bool {
        guard self.isPending else { return false }
        do {
            try await self.look()
            try self.advance()
        } catch {
            // Whoever applies or observes next is told.
            self.logger.debug("Envoy's next step waits", metadata: ["error": "\(error)"])
        }
        return true
    }
}

// MARK: - The folder

extension EnvoyRouter {
    /// Reads the folder, and writes all that Envoy needs to start. Only the first call does anything.
    func prepare() throws(PlatformError) {
        guard self.ledger == nil else { return }
        try self.files.makeFolders()
        guard let bootID = ProcessIdentity.currentBootID else {
            throw PlatformError(
                code: .notObservable,
                message: "/proc/sys/kernel/random/boot_id can't be read: mount /proc",
                recovery: .needsOperator
            )
        }
        var ledger = try self.savedLedger()
        if ledger?.bootID != bootID {
            // The endpoints of an earlier boot ended with it.
            try self.files.removeState()
            ledger = EnvoyLedger(bootID: bootID)
        }
        try self.files.write(EnvoyBootstrap.bootstrap(self.files).bytes, to: self.files.bootstrap)
        self.ledger = ledger
        do {
            try self.repair()
        } catch {
            self.ledger = nil
            throw error
        }
    }

    private func savedLedger() throws(PlatformError) -> EnvoyLedger? {
        guard let bytes = self.files.read(self.files.ledger) else {
            guard self.recordedProcess() == nil else { throw self.lostLedger("is missing") }
            return nil
        }
        do {
            return try JSONDecoder().decode(EnvoyLedger.self, from: Data(bytes))
        } catch {
            throw self.lostLedger("can't be read (\(error))")
        }
    }

    private func lostLedger(_ what: String) -> PlatformError {
        PlatformError(
            code: .notObservable,
            message: """
                \(self.files.ledger) \(what), so what Envoy serves is not known: end Envoy and remove \
                \(self.files.directory); both are made anew, with some seconds without service
                """,
            recovery: .needsOperator
        )
    }

    /// Makes every file be what the ledger says, endpoints first, as another controller's version or a write that
    /// failed may have left them.
    private func repair() throws(PlatformError) {
        guard var ledger = self.ledger else { return }
        for name in ledger.clusters.keys.sorted() {
            let path = self.files.endpoints(of: name)
            guard self.files.read(path) != ledger.endpointsFile(name) else { continue }
            let version = ledger.nextVersion(at: self.now())
            ledger.clusters[name]?.version = version
            try self.writeEndpoints(name, ledger)
        }
        if ledger.clustersVersion == 0 || self.files.read(self.files.clusters) != ledger.clustersFile(self.files) {
            ledger.clustersVersion = ledger.nextVersion(at: self.now())
            try self.files.write(ledger.clustersFile(self.files), to: self.files.clusters)
        }
        let differs = ledger.history.isEmpty || self.files.read(self.files.routes) != ledger.routesFile()
        if differs { ledger.publish(at: self.now()) }
        let listener = self.configuration.listen
        if self.files.read(self.files.listeners) != ledger.listenersFile(listener, self.files) {
            ledger.listenersVersion = ledger.nextVersion(at: self.now())
        }
        try self.save(ledger)
        self.ledger = ledger
        if differs { try self.files.write(ledger.routesFile(), to: self.files.routes) }
        try self.files.write(ledger.listenersFile(listener, self.files), to: self.files.listeners)
        try self.files.removeEndpoints(except: Set(ledger.clusters.keys).union(ledger.leaving.keys))
        self.mustRepair = false
    }
}

extension PlatformError {
    static func invalidState(_ message: String) -> PlatformError {
        PlatformError(code: .invalidState, message: message, recovery: .needsOperator)
    }
}

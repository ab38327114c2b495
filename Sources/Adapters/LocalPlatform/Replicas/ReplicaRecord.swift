import Deployments
import Reconciliation

/// What must be known about a replica after the controller's end. Written before and after every start of a process.
struct ReplicaRecord: Hashable, Codable, Sendable {
    enum Phase: Hashable, Codable, Sendable {
        /// Its process runs without being ready, or is about to run. Without an identity it is not known which: the
        /// marker tells.
        case starting
        case ready
        case backingOff(until: Timestamp)
        /// To be ended and forgotten.
        case stopping
        /// Not to be started again; its process is ended.
        case failed
    }

    let id: ReplicaID
    let launch: ReplicaLaunch
    var endpoint: Endpoint
    var phase: Phase
    var drainingSince: Timestamp?
    /// Of the last run; a new one before each run.
    var marker: ProcessMarker
    var identity: ProcessIdentity?
    /// When the last run started.
    var started: Timestamp?
    /// Bytes of the log file before the last run.
    var logStart: Int
    var restarts: Int
    /// Ends in a row without a long time of being ready in between.
    var crashes: Int
    /// Whether the last run was ready once.
    var wasReady: Bool
    var lastFailure: String?
    var signature: String?

    init(id: ReplicaID, launch: ReplicaLaunch, endpoint: Endpoint) {
        self.id = id
        self.launch = launch
        self.endpoint = endpoint
        self.phase = .starting
        self.marker = ProcessMarker()
        self.logStart = 0
        self.restarts = 0
        self.crashes = 0
        self.wasReady = false
    }

    /// What others see of it.
    var replica: Replica {
        Replica(
            id: self.id,
            state: self.state,
            endpoint: self.endpoint,
            restarts: self.restarts,
            lastFailure: self.lastFailure,
            signature: self.signature
        )
    }

    private var state: Replica.State {
        if self.phase == .stopping { return .stopping }
        // Even one whose process ended meanwhile: whoever drains a replica waits for this answer.
        if let since = self.drainingSince { return .draining(since: since) }
        return switch self.phase {
        case .starting: .starting
        case .ready: .ready
        case .backingOff(let until): .backingOff(until: until)
        case .stopping: .stopping
        case .failed: .failed
        }
    }

    /// The base of the names of its files: the replica's name without characters that mean something in a path.
    var fileName: String { Self.fileName(self.id) }

    static func fileName(_ id: ReplicaID) -> String {
        let parts = [id.deployment.namespace, id.deployment.name, id.revision.short, String(id.ordinal)]
        return parts.map(Self.fileNamePart).joined(separator: ",")
    }

    /// Without characters that mean something in a path, and without commas.
    static func fileNamePart(_ part: String) -> String {
        // What is left unchanged holds no comma; a leading point would hide the file.
        let segment = LaunchVariables.pathSegment(part)
        return segment.hasPrefix(".") ? "%2E" + segment.dropFirst() : segment
    }
}

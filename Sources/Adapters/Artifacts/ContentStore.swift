package import Deployments
import Glibc
package import Logging
package import ModelRegistries
import Reconciliation
package import Transport

/// A content-addressed cache of verified model artifacts.
///
/// `objects/<sha256>` holds them, `partial/<hash of the URI>` what is on its way, `pins.jsonl` the digests of URIs
/// without one, `trash` what is being deleted. Nothing is visible under `objects` before it is verified and on the
/// disk. ``run()`` does the work; the port's functions only ask for it.
package actor ContentStore: ArtifactStore {
    let configuration: ArtifactConfiguration
    let registry: (any ModelRegistry)?
    let client: HTTPClient
    let logger: Logger
    let session: String

    var objects: ObjectIndex
    var pins: PinFile
    /// What is not here and not absent. The objects themselves say what is here.
    var fetches: [ArtifactKey: Fetch] = [:]
    var retained: Set<ArtifactKey> = []
    var lastAsked: [ArtifactKey: ContinuousClock.Instant] = [:]
    var lock: CacheLock?

    let signals: AsyncStream<Signal>
    let signal: AsyncStream<Signal>.Continuation

    /// One artifact on its way.
    struct Fetch {
        var stage: Stage
        /// Before the next attempt.
        var delay: Duration = .zero
        /// Failures in a row.
        var failures = 0

        enum Stage {
            case queued
            case running(FetchProgress)
            /// Until its next attempt.
            case waiting(String)
            /// Asking again before then changes nothing.
            case failed(String, until: ContinuousClock.Instant)
        }
    }

    enum Signal: Sendable {
        case wanted(ArtifactKey)
        case ended(ArtifactKey)
    }

    /// Does nothing yet: the folder is opened by the first use. Without a `registry`, `models:` URIs are refused.
    package init(
        configuration: ArtifactConfiguration,
        registry: (any ModelRegistry)? = nil,
        client: HTTPClient,
        logger: Logger
    ) {
        self.configuration = configuration
        self.registry = registry
        self.client = client
        self.logger = logger
        self.session = String(UInt64.random(in: .min ... .max), radix: 16)
        self.objects = ObjectIndex(directory: configuration.directory)
        self.pins = PinFile(path: "\(configuration.directory)/pins.jsonl")
        (self.signals, self.signal) = AsyncStream.makeStream(of: Signal.self)
    }

    package func state(of model: Model) -> ArtifactState {
        let key = ArtifactKey(model)
        self.lastAsked[key] = .now
        switch self.fetches[key]?.stage {
        case .queued: return .fetching(received: 0, total: nil)
        case .running(let progress):
            let (received, total) = progress.current
            return .fetching(received: received, total: total)
        case .waiting(let message): return .retrying(message)
        case .failed(let message, _): return .failed(message)
        case nil: break
        }
        do throws(ArtifactError) {
            try self.open()
        } catch {
            return .retrying(error.message)
        }
        guard let object = self.object(for: key) else { return .absent }
        return .ready(
            path: self.objects.path(of: object),
            digest: "sha256:\(object.digest)",
            pinned: ModelReference(key.uri)?.alias == nil ? nil : self.pins[key.pinKey]?.resolved
        )
    }

    package func fetch(_ model: Model) {
        let key = ArtifactKey(model)
        self.lastAsked[key] = .now
        switch self.fetches[key]?.stage {
        case .queued, .running, .waiting:
            return
        case .failed(_, let until):
            if ContinuousClock.now < until { return }
        case nil:
            break
        }
        self.fetches[key] = Fetch(stage: .queued)
        self.signal.yield(.wanted(key))
    }

    package func retain(_ models: [Model]) {
        let next = Set(models.map { ArtifactKey($0) })
        guard next != self.retained else { return }
        // The time of last use of what is dropped is now.
        for key in self.retained.union(next) {
            if let object = self.object(for: key) { self.objects.touch(object.id) }
        }
        self.retained = next
        // A refusal for lack of room may be over.
        self.lastAsked = self.lastAsked.filter { next.contains($0.key) || ContinuousClock.now - $0.value < Self.memory }
    }

    /// How long an artifact that nobody asks for is remembered and tried again.
    static let memory: Duration = .seconds(600)

    // MARK: - The disk

    /// Reads the folder once. Quick: it compares sizes and times, not digests.
    func open() throws(ArtifactError) {
        guard self.lock == nil else { return }
        try Folder.createAll(self.configuration.directory)
        let lock = try CacheLock(path: "\(self.configuration.directory)/lock")
        try self.pins.load()
        for complaint in try self.objects.load() {
            self.logger.warning("stored artifact not used", metadata: ["reason": "\(complaint)"])
        }
        self.lock = .some(lock)
    }

    /// The verified artifact for `key`, if it is here.
    func object(for key: ArtifactKey) -> StoredObject? {
        guard key.hasValidDigest else { return nil }
        // A URI that is none is reported by the attempt to fetch it.
        guard let location = try? ArtifactLocation(key.uri) else { return nil }
        guard let digest = key.digest ?? self.pins[key.pinKey]?.digest else { return nil }
        if location.packaging != .plain {
            if let object = self.objects[StoredObject.id(digest: digest, kind: .archive)] { return object }
            // By its unpacked digest it is a directory like any other.
            return self.objects[digest].flatMap { $0.kind == .directory ? $0 : nil }
        }
        return self.objects[digest]
    }

    /// The objects that must stay: of retained models, and of those asked for just now.
    func keptObjects(except key: ArtifactKey? = nil) -> Set<String> {
        let recent = self.lastAsked.filter { ContinuousClock.now - $0.value < self.configuration.evictionGrace }
        let keys = self.retained.union(recent.keys)
        return Set(keys.filter { $0 != key }.compactMap { self.object(for: $0)?.id })
    }
}

/// Where artifacts are kept, and what they may cost.
package struct ArtifactConfiguration: Hashable, Sendable {
    /// The cache; created when missing. Belongs to one controller.
    package var directory: String
    /// All verified artifacts together. What is being brought here comes on top.
    package var maxBytes: Int64
    /// One artifact, unpacked.
    package var maxArtifactBytes: Int64
    /// Files in one artifact.
    package var maxFiles: Int
    /// For one attempt to download.
    package var timeout: Duration
    /// Ends an attempt that received nothing for so long.
    package var stallTimeout: Duration
    /// `file:` URIs must lie under one of these; with none, they are refused. Manifests must not read whatever the
    /// controller may.
    package var fileRoots: [String]
    /// A PEM file of the authorities to trust for https, instead of the system's.
    package var caFile: String?
    /// The pause after the first failure that may pass; doubles up to `maxRetryDelay`.
    package var retryDelay: Duration
    package var maxRetryDelay: Duration
    /// A failure that will not pass by itself is looked at again when the artifact is asked for so much later.
    package var failureExpiry: Duration
    /// What was asked for within this time is not evicted, even before it is retained.
    package var evictionGrace: Duration

    package init(
        directory: String,
        maxBytes: Int64 = 50 << 30,
        maxArtifactBytes: Int64 = 50 << 30,
        maxFiles: Int = 100_000,
        timeout: Duration = .seconds(6 * 3600),
        stallTimeout: Duration = .seconds(60),
        fileRoots: [String] = [],
        caFile: String? = nil,
        retryDelay: Duration = .seconds(1),
        maxRetryDelay: Duration = .seconds(300),
        failureExpiry: Duration = .seconds(60),
        evictionGrace: Duration = .seconds(600)
    ) {
        self.directory = directory
        self.maxBytes = maxBytes
        self.maxArtifactBytes = maxArtifactBytes
        self.maxFiles = maxFiles
        self.timeout = timeout
        self.stallTimeout = stallTimeout
        self.fileRoots = fileRoots
        self.caFile = caFile
        self.retryDelay = retryDelay
        self.maxRetryDelay = maxRetryDelay
        self.failureExpiry = failureExpiry
        self.evictionGrace = evictionGrace
    }
}

/// How much one manifest may ask of the process that reads it; beyond, it is refused with a diagnostic.
package struct ManifestLimits: Hashable, Sendable {
    /// Bytes of one YAML file. A manifest is about 1 kB, so this is hundreds of deployments in one file.
    package var fileBytes: Int
    /// Documents in one YAML file.
    package var documents: Int
    /// How deep lists and mappings may nest.
    package var depth: Int
    /// Scalars, lists and mappings in one YAML file.
    package var nodes: Int
    /// Bytes of one file of golden predictions.
    package var goldenBytes: Int
    /// Lines of one file of golden predictions. Each is a request to every replica before it takes traffic.
    package var goldenPredictions: Int
    /// Bytes of one `defaults.yaml`. Each is laid below every manifest of its folder.
    package var defaultsBytes: Int
    /// How many `defaults.yaml` a repository may have.
    package var defaultsFiles: Int
    /// Diagnostics that are kept of one file.
    package var diagnosticsPerFile: Int

    package init(
        fileBytes: Int = 1 << 20,
        documents: Int = 64,
        depth: Int = 64,
        nodes: Int = 50_000,
        goldenBytes: Int = 1 << 20,
        goldenPredictions: Int = 1000,
        defaultsBytes: Int = 64 << 10,
        defaultsFiles: Int = 1000,
        diagnosticsPerFile: Int = 100
    ) {
        self.fileBytes = fileBytes
        self.documents = documents
        self.depth = depth
        self.nodes = nodes
        self.goldenBytes = goldenBytes
        self.goldenPredictions = goldenPredictions
        self.defaultsBytes = defaultsBytes
        self.defaultsFiles = defaultsFiles
        self.diagnosticsPerFile = diagnosticsPerFile
    }
}

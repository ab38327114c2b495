package import Deployments

/// Each value of a deployment as its last commit wants it, with the place that it comes from.
package struct ExplainedSpec: Hashable, Sendable {
    package var deployment: DeploymentID
    /// The file of its manifest.
    package var file: String
    /// In the order of the reference.
    package var values: [Value]
    /// What is wrong with the manifest or with what is laid below it: as long as there are errors, its last good one
    /// stands, and the values are what would be.
    package var problems: [Diagnostic]

    package struct Value: Hashable, Sendable {
        /// `spec.rollout.steps[0].weight`
        package var field: String
        /// As it is written; of a list of plain values, all of them.
        package var text: String
        /// Nothing for what no file says.
        package var place: Place?

        /// `prod/defaults.yaml:7`, or `default`.
        package var origin: String { self.place.map { "\($0.file):\($0.line)" } ?? "default" }
    }

    package struct Place: Hashable, Sendable {
        package var file: String
        package var line: Int
    }
}

extension ManifestReader {
    /// - Parameters:
    ///   - id: A deployment.
    ///   - memory: What was found in the last commit that was read.
    /// - Returns: Nothing when that does not hold the deployment.
    package func explain(_ id: DeploymentID, knowing memory: ManifestMemory) -> ExplainedSpec? {
        guard let path = memory.places[id], let file = memory.file(path) else { return nil }
        let documents = YAMLStream(parsing: file.bytes, limits: self.limits).documents
        guard let document = documents.first(where: { DeploymentDraft.id(declaredBy: $0.root) == id }) else {
            return nil
        }
        let chain = memory.defaults.chain(above: path)
        let problems =
            (memory.diagnostics[path] ?? []).filter { $0.deployment == id }
            + memory.defaults.problems.filter { $0.isInDefaults(above: path) }
        var explained = ExplainedSpec(deployment: id, file: path, values: [], problems: problems)
        // What a file with errors lays below is not known.
        guard chain?.broken == nil else { return explained }
        let root = chain?.completed(document.root) ?? document.root
        var lines = SpecLines(files: [path] + (chain?.paths ?? []))
        lines.add(root)
        if let spec = memory.spec(id) { lines.addBuiltIn(of: spec) }
        explained.values = lines.sorted
        return explained
    }
}

extension Diagnostic {
    /// Whether it is about a `defaults.yaml` that holds for the manifest at `path`.
    package func isInDefaults(above path: String) -> Bool {
        guard SourceFile.isDefaults(self.path) else { return false }
        let folder = SourceFile.folder(of: self.path)
        return folder.isEmpty || path.hasPrefix(folder + "/")
    }
}

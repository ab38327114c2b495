import Deployments

/// A commit whose files are decoded. What its deployments name in other files is looked up for each on its own, so for
/// several at the same time; what they say together is found out at the end.
package struct GatheredCommit: Sendable {
    /// Those that are not known from the last commit, in the order of this one.
    private var drafts: [DecodedDeployment]
    private let origin: CommitReference
    private var memory: ManifestMemory
    private let resolution: ReferenceResolution
    private let limits: ManifestLimits

    /// What a deployment means. To be used only if it has no errors.
    package struct Resolved: Sendable {
        let spec: DeploymentSpec
        let problems: [Diagnostic]
    }

    init(
        drafts: [DecodedDeployment],
        origin: CommitReference,
        memory: ManifestMemory,
        library: Library,
        limits: ManifestLimits
    ) {
        self.drafts = drafts
        self.origin = origin
        self.memory = memory
        self.resolution = ReferenceResolution(memory: memory, library: library, limits: limits)
        self.limits = limits
    }

    /// The deployments that are to be resolved, by their numbers.
    package var indices: Range<Int> { self.drafts.indices }

    package func resolve(_ range: Range<Int>) -> [Resolved] {
        self.drafts[range].map { draft in
            let log = draft.log
            let spec = self.resolution.spec(of: draft.draft, origin: self.origin, noting: log)
            return Resolved(spec: spec, problems: log.diagnostics)
        }
    }

    /// - Parameter resolved: Of all ``indices``, in their order.
    /// - Returns: What the commit wants, and what to remember of it.
    consuming func finish(_ resolved: [Resolved]) -> (DesiredState, ManifestMemory) {
        // Taken out, so that each is changed in its place and not copied.
        var (drafts, memory): ([DecodedDeployment], ManifestMemory) = ([], ManifestMemory())
        swap(&drafts, &self.drafts)
        swap(&memory, &self.memory)
        for (index, resolved) in zip(drafts.indices, resolved) { drafts[index].keep(resolved.problems) }
        // Only now, as resolving may have found errors in any of them.
        ReferenceResolution.checkTogether(&drafts)
        let invalid = memory.otherInvalid.union(drafts.lazy.filter(\.hasErrors).map(\.id))
        memory.insert(resolved.lazy.map(\.spec).filter { !invalid.contains($0.id) })
        for draft in drafts {
            // Also the one without errors of two with the same name.
            if invalid.contains(draft.id) { memory.faulty.insert(draft.file) }
            if !draft.problems.isEmpty { memory.diagnostics[draft.file, default: []] += draft.problems }
        }
        return (memory.state(invalid: invalid, limits: self.limits), memory)
    }
}

extension ManifestMemory {
    fileprivate func state(invalid: Set<DeploymentID>, limits: ManifestLimits) -> DesiredState {
        let diagnostics = self.diagnostics.sorted { $0.key < $1.key }.flatMap(\.value)
        return DesiredState(
            deployments: self.specs,
            diagnostics: ManifestReader.arrange(
                self.otherDiagnostics + self.defaults.problems + diagnostics,
                limit: limits.diagnosticsPerFile
            ),
            invalid: invalid,
            unreadable: self.unreadable.union(self.defaults.unreadable),
            freezes: self.freezes.values.filter { self.freezes.broken[$0.key] == nil }.map(\.value)
                .sorted { $0.name < $1.name },
            brokenFreezes: self.freezes.unnamed.isEmpty ? Set(self.freezes.broken.keys) : nil
        )
    }
}

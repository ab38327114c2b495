import Deployments

/// Looks up what the documents of a commit name in each other.
struct ReferenceResolution: Sendable {
    private let runtimes: Declarations<PreparedRuntime>
    private let claims: FormatClaims
    private let templates: Declarations<Gate>
    private let library: Library
    private let golden: GoldenFiles
    /// Every deployment that the commit names, also those with errors: their last good manifest stands.
    private let places: [DeploymentID: String]
    private let otherInvalid: Set<DeploymentID>

    /// - Parameters:
    ///   - memory: What the commit declares, with all its files.
    ///   - library: What comes with the product.
    ///   - limits: For golden files.
    init(memory: ManifestMemory, library: Library, limits: ManifestLimits) {
        self.runtimes = memory.runtimes
        self.templates = memory.templates
        self.library = library
        self.claims = FormatClaims(own: memory.runtimes, shipped: library.runtimes)
        self.golden = GoldenFiles(memory.files, limits: limits)
        self.places = memory.places
        self.otherInvalid = memory.otherInvalid
    }

    /// What a draft means. To be used only if there are no errors in the log afterwards.
    func spec(
        of draft: DeploymentDraft,
        origin: CommitReference,
        noting log: DiagnosticLog
    ) -> DeploymentSpec {
        let runtime = self.runtime(of: draft, noting: log) ?? Self.noRuntime
        var origin = origin
        origin.path = draft.file
        return DeploymentSpec(
            id: draft.id,
            labels: draft.labels,
            revision: Revision(
                model: draft.model,
                runtime: runtime.canonicalForm,
                parameters: draft.parameters,
                resources: draft.resources
            ),
            origin: origin,
            model: draft.model,
            runtime: runtime.runtime,
            parameters: draft.parameters,
            resources: draft.resources,
            replicas: draft.replicas,
            autoscaling: draft.autoscaling,
            golden: draft.golden.map { self.golden.predictions(for: $0, noting: log) } ?? [],
            signature: draft.signature,
            route: draft.route,
            objectives: draft.objectives,
            rollout: self.policy(of: draft, noting: log),
            dependsOn: draft.dependsOn.compactMap { self.dependency($0, of: draft.id, noting: log) }
        )
    }

    // MARK: - Runtimes

    private static let noRuntime = PreparedRuntime(ServingRuntime(name: "", command: []))

    private func runtime(of draft: DeploymentDraft, noting log: DiagnosticLog) -> PreparedRuntime? {
        let runtime: PreparedRuntime?
        if let reference = draft.runtime {
            runtime = self.runtime(named: reference, noting: log)
            let formats = runtime?.runtime.formats.map(\.name) ?? []
            if !formats.isEmpty, !draft.model.format.isEmpty, !formats.contains(draft.model.format) {
                let served = formats.joined(lastWith: "and")
                let message = "the runtime serves \(served), the model's format is \(draft.model.format.inBackticks)"
                log.error(at: reference.site, "\(message): name another runtime, or add the format to this one")
            }
        } else if let format = draft.format, !draft.model.format.isEmpty {
            runtime = self.runtime(claiming: draft.model.format, at: format, noting: log)
        } else {
            // The draft has no format, and has been told so.
            return nil
        }
        if let runtime { Self.checkParameters(of: draft, for: runtime, noting: log) }
        return runtime
    }

    private func runtime(named reference: Reference, noting log: DiagnosticLog) -> PreparedRuntime? {
        let name = reference.name
        switch self.runtimes[name] {
        case .found(let runtime): return runtime
        case .broken(let place): log.error(at: reference.site, "the runtime has errors itself: mend \(place)")
        case .missing:
            if let place = self.runtimes.unnamed.first {
                log.error(
                    at: reference.site,
                    "the runtime may be the one at \(place), which can't be read: mend that first"
                )
            } else if case .found(let runtime) = self.library.runtimes[name] {
                return runtime
            } else if case .broken(let place) = self.library.runtimes[name] {
                log.error(at: reference.site, "the shipped runtime has errors: mend \(place), or declare one in git")
            } else {
                let known = self.runtimes.names + self.library.runtimes.names
                let hint = NearestName.hint(for: name, among: known)
                log.error(at: reference.site, "there is no ServingRuntime \(name.inBackticks): \(hint)")
            }
        }
        return nil
    }

    private func runtime(claiming format: String, at site: Site, noting log: DiagnosticLog) -> PreparedRuntime? {
        if let place = self.runtimes.anyBroken ?? self.library.runtimes.anyBroken {
            let message = "no runtime can be chosen while one has errors"
            log.error(at: site, "\(message): mend \(place), or name one with `runtime`")
            return nil
        }
        guard let claim = self.claims[format] else {
            let hint = NearestName.hint(for: format, among: self.claims.formats)
            log.error(at: site, "no ServingRuntime claims the format \(format.inBackticks): \(hint)")
            return nil
        }
        if claim.runtimes.count > 1 {
            let names = claim.runtimes.map(\.runtime.name).sorted().joined(lastWith: "and")
            let message = "\(names) claim the format with the same priority \(claim.priority)"
            log.error(at: site, "\(message): name one with `runtime`")
        }
        return claim.runtimes.first
    }

    private static func checkParameters(
        of draft: DeploymentDraft,
        for runtime: PreparedRuntime,
        noting log: DiagnosticLog
    ) {
        let (name, wanted, given) = (runtime.runtime.name, runtime.parameterNames, draft.parameters.keys)
        let site = draft.parametersSite ?? draft.document
        guard !wanted.isEmpty || !given.isEmpty else { return }
        for missing in wanted.subtracting(given).sorted() {
            let message = "the runtime \(name.inBackticks) needs the parameter \(missing.inBackticks)"
            let example = "`parameters: {\(missing.printable(limit: 60)): \"…\"}`"
            log.add(.error, at: site.position, field: "spec.parameters", "\(message): add it to \(example)")
        }
        for stranger in Set(given).subtracting(wanted).sorted() {
            let message = "the runtime \(name.inBackticks) has no parameter \(stranger.inBackticks)"
            log.conflict(
                at: draft.inheritedParameters[stranger] ?? site,
                with: draft.runtime?.site ?? draft.format,
                "\(message): \(NearestName.hint(for: stranger, among: wanted))"
            )
        }
    }

    // MARK: - Gates

    private func policy(of draft: DeploymentDraft, noting log: DiagnosticLog) -> RolloutPolicy {
        let bound = draft.objectives.compactMap { objective -> Duration? in
            if case .latency(let below) = objective.indicator { below } else { nil }
        }.min()
        var policy = draft.rollout.policy
        policy.gates =
            draft.rollout.gates?.compactMap { self.gate($0, bound: bound, noting: log) }
            ?? policy.gates.map { gate in
                if case .latency = gate.kind { .latency(below: bound) } else { gate }
            }
        for index in policy.steps.indices {
            policy.steps[index].gates = draft.rollout.stepGates[index]?.compactMap {
                self.gate($0, bound: bound, noting: log)
            }
        }
        for (step, site) in zip(policy.steps, draft.rollout.stepSites) {
            Self.warnOfSlowGates(step.gates ?? policy.gates, in: step, at: site, noting: log)
        }
        for (place, signOff) in draft.rollout.signOffs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            var signOffs = policy.signOffs ?? SignOffs()
            signOffs[place] = self.signOff(signOff, at: place, noting: log)
            policy.signOffs = signOffs
        }
        draft.rollout.checkComparedAnswers(of: policy, noting: log)
        return policy
    }

    private static func warnOfSlowGates(_ gates: [Gate], in step: Step, at site: Site, noting log: DiagnosticLog) {
        for gate in gates {
            guard gate.shortestDuration > step.atMost else { continue }
            let (time, most) = (Quantity.text(gate.shortestDuration), Quantity.text(step.atMost))
            let message =
                "the gate \(gate.name.inBackticks) measures for \(time), longer than the step's atMost of \(most)"
            log.warning(at: site, "\(message): it can never pass here")
        }
    }

    private func signOff(_ draft: SignOffDraft, at place: SignOff.Place, noting log: DiagnosticLog) -> SignOff {
        let gates = draft.gates.compactMap { reference -> Gate? in
            let gate = self.gate(reference, bound: nil, noting: log)
            if let objection = gate.flatMap({ SignOff.objection(to: $0, at: place) }) {
                log.error(at: reference.site, objection)
            }
            return gate
        }
        return SignOff(needsApproval: draft.needsApproval, gates: gates)
    }

    private func gate(_ reference: Reference, bound: Duration?, noting log: DiagnosticLog) -> Gate? {
        let name = reference.name
        switch name {
        case Gate.errors.name: return .errors
        case Gate.clientErrors.name: return .clientErrors
        case Gate.latency().name: return .latency(below: bound)
        case Gate.slowdown.name: return .slowdown
        default: break
        }
        switch self.templates[name] {
        case .found(let gate): return gate
        case .broken(let place): log.error(at: reference.site, "the AnalysisTemplate has errors itself: mend \(place)")
        case .missing:
            if let place = self.templates.unnamed.first {
                log.error(
                    at: reference.site,
                    "the gate may be the one at \(place), which can't be read: mend that first"
                )
            } else if case .found(let gate) = self.library.templates[name] {
                return gate
            } else {
                let known = Gate.builtIn.map(\.name) + self.templates.names + self.library.templates.names
                let hint = NearestName.hint(for: name, among: known)
                log.error(at: reference.site, "there is no gate or AnalysisTemplate \(name.inBackticks): \(hint)")
            }
        }
        return nil
    }

    // MARK: - Dependencies

    private func dependency(
        _ reference: Reference,
        of id: DeploymentID,
        noting log: DiagnosticLog
    ) -> DeploymentID? {
        guard let other = Self.target(of: reference, in: id.namespace) else { return nil }
        if other == id {
            log.error(at: reference.site, "a deployment can't depend on itself: remove it from the list")
            return nil
        }
        guard self.places[other] != nil || self.otherInvalid.contains(other) else {
            let known = self.otherInvalid.union(self.places.keys)
                .map { $0.namespace == id.namespace ? $0.name : $0.description }
            let hint = NearestName.hint(for: reference.name, among: known)
            log.error(at: reference.site, "there is no deployment \(other.description.inBackticks): \(hint)")
            return nil
        }
        return other
    }

    /// The deployment that a reference means: its own namespace's, unless it names one.
    static func target(of reference: Reference, in namespace: String) -> DeploymentID? {
        reference.name.contains("/")
            ? DeploymentID(reference.name) : DeploymentID(namespace: namespace, name: reference.name)
    }
}

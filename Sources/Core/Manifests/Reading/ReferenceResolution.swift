import Deployments

/// Looks up what the documents of a commit name in each other.
struct ReferenceResolution {
    private let runtimes: Declarations<ServingRuntime>
    private let templates: Declarations<Gate>
    private let library: Library
    private let golden: GoldenFiles
    /// Every deployment that the commit names, also those with errors: their last good manifest stands.
    private let places: [DeploymentID: String]
    private let otherInvalid: Set<DeploymentID>

    init(memory: ManifestMemory, library: Library, files: [SourceFile], limits: ManifestLimits) {
        self.runtimes = memory.runtimes
        self.templates = memory.templates
        self.library = library
        self.golden = GoldenFiles(files, limits: limits)
        self.places = memory.places
        self.otherInvalid = memory.otherInvalid
    }

    /// What a draft means. To be used only if its log has no errors afterwards.
    func spec(of draft: DeploymentDraft, origin: CommitReference) -> DeploymentSpec {
        let runtime = self.runtime(of: draft) ?? ServingRuntime(name: "", command: [])
        var origin = origin
        origin.path = draft.log.path
        return DeploymentSpec(
            id: draft.id,
            labels: draft.labels,
            revision: Revision(
                model: draft.model,
                runtime: runtime,
                parameters: draft.parameters,
                resources: draft.resources
            ),
            origin: origin,
            model: draft.model,
            runtime: runtime,
            parameters: draft.parameters,
            resources: draft.resources,
            replicas: draft.replicas,
            autoscaling: draft.autoscaling,
            golden: draft.golden.map { self.golden.predictions(for: $0) } ?? [],
            signature: draft.signature,
            route: draft.route,
            objectives: draft.objectives,
            rollout: self.policy(of: draft),
            dependsOn: draft.dependsOn.compactMap { self.dependency($0, of: draft.id) }
        )
    }

    // MARK: - Runtimes

    private func runtime(of draft: DeploymentDraft) -> ServingRuntime? {
        let runtime: ServingRuntime?
        if let reference = draft.runtime {
            runtime = self.runtime(named: reference)
            let formats = runtime?.formats.map(\.name) ?? []
            if !formats.isEmpty, !draft.model.format.isEmpty, !formats.contains(draft.model.format) {
                let served = formats.joined(lastWith: "and")
                let message = "the runtime serves \(served), the model's format is \(draft.model.format.inBackticks)"
                reference.field.error("\(message): name another runtime, or add the format to this one")
            }
        } else if let format = draft.format, !draft.model.format.isEmpty {
            runtime = self.runtime(claiming: draft.model.format, at: format)
        } else {
            // The draft has no format, and has been told so.
            return nil
        }
        if let runtime { self.checkParameters(of: draft, for: runtime) }
        return runtime
    }

    private func runtime(named reference: Reference) -> ServingRuntime? {
        let name = reference.name
        switch self.runtimes[name] {
        case .found(let runtime): return runtime
        case .broken(let place): reference.field.error("the runtime has errors itself: mend \(place)")
        case .missing:
            if let place = self.runtimes.unnamed.first {
                reference.field.error("the runtime may be the one at \(place), which can't be read: mend that first")
            } else if case .found(let runtime) = self.library.runtimes[name] {
                return runtime
            } else if case .broken(let place) = self.library.runtimes[name] {
                reference.field.error("the shipped runtime has errors: mend \(place), or declare one in git")
            } else {
                let known = self.runtimes.names + self.library.runtimes.names
                let hint = NearestName.hint(for: name, among: known)
                reference.field.error("there is no ServingRuntime \(name.inBackticks): \(hint)")
            }
        }
        return nil
    }

    private func runtime(claiming format: String, at field: Field) -> ServingRuntime? {
        if let place = self.runtimes.anyBroken ?? self.library.runtimes.anyBroken {
            field.error("no runtime can be chosen while one has errors: mend \(place), or name one with `runtime`")
            return nil
        }
        let ours = Array(self.runtimes.values.values)
        let shipped = self.library.runtimes.values.values.filter { self.runtimes.values[$0.name] == nil }
        func priority(_ runtime: ServingRuntime) -> Int? {
            runtime.formats.first { $0.name == format }?.priority
        }
        let best = (ours + shipped).compactMap(priority).max()
        guard let best else {
            let known = Set((ours + shipped).flatMap(\.formats).map(\.name))
            let hint = NearestName.hint(for: format, among: known)
            field.error("no ServingRuntime claims the format \(format.inBackticks): \(hint)")
            return nil
        }
        let candidates = [ours, shipped].map { $0.filter { priority($0) == best } }.first { !$0.isEmpty } ?? []
        if candidates.count > 1 {
            let names = candidates.map(\.name).sorted().joined(lastWith: "and")
            field.error("\(names) claim the format with the same priority \(best): name one with `runtime`")
        }
        return candidates.first
    }

    private func checkParameters(of draft: DeploymentDraft, for runtime: ServingRuntime) {
        let wanted = runtime.parameterNames
        let place = draft.parametersField ?? draft.document
        for name in wanted.subtracting(draft.parameters.keys).sorted() {
            let message = "the runtime \(runtime.name.inBackticks) needs the parameter \(name.inBackticks)"
            let example = "`parameters: {\(name.printable(limit: 60)): \"…\"}`"
            draft.log.add(.error, at: place.node.position, field: "spec.parameters", "\(message): add it to \(example)")
        }
        for name in Set(draft.parameters.keys).subtracting(wanted).sorted() {
            let message = "the runtime \(runtime.name.inBackticks) has no parameter \(name.inBackticks)"
            place.error("\(message): \(NearestName.hint(for: name, among: wanted))")
        }
    }

    // MARK: - Gates

    private func policy(of draft: DeploymentDraft) -> RolloutPolicy {
        let bound = draft.objectives.compactMap { objective -> Duration? in
            if case .latency(let below) = objective.indicator { below } else { nil }
        }.min()
        var policy = draft.rollout.policy
        policy.gates =
            draft.rollout.gates?.compactMap { self.gate($0, bound: bound) }
            ?? policy.gates.map { gate in
                if case .latency = gate.kind { .latency(below: bound) } else { gate }
            }
        for index in policy.steps.indices {
            policy.steps[index].gates = draft.rollout.stepGates[index]?.compactMap { self.gate($0, bound: bound) }
        }
        for (step, field) in zip(policy.steps, draft.rollout.stepFields) {
            self.warnOfSlowGates(step.gates ?? policy.gates, in: step, at: field)
        }
        draft.rollout.checkComparedAnswers(of: policy)
        return policy
    }

    private func warnOfSlowGates(_ gates: [Gate], in step: Step, at field: Field) {
        for gate in gates {
            guard gate.shortestDuration > step.atMost else { continue }
            let (time, most) = (Quantity.text(gate.shortestDuration), Quantity.text(step.atMost))
            let message =
                "the gate \(gate.name.inBackticks) measures for \(time), longer than the step's atMost of \(most)"
            field.warning("\(message): it can never pass here")
        }
    }

    private func gate(_ reference: Reference, bound: Duration?) -> Gate? {
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
        case .broken(let place): reference.field.error("the AnalysisTemplate has errors itself: mend \(place)")
        case .missing:
            if let place = self.templates.unnamed.first {
                reference.field.error("the gate may be the one at \(place), which can't be read: mend that first")
            } else if case .found(let gate) = self.library.templates[name] {
                return gate
            } else {
                let known = Gate.builtIn.map(\.name) + self.templates.names + self.library.templates.names
                let hint = NearestName.hint(for: name, among: known)
                reference.field.error("there is no gate or AnalysisTemplate \(name.inBackticks): \(hint)")
            }
        }
        return nil
    }

    // MARK: - Dependencies

    private func dependency(_ reference: Reference, of id: DeploymentID) -> DeploymentID? {
        guard let other = Self.target(of: reference, in: id.namespace) else { return nil }
        if other == id {
            reference.field.error("a deployment can't depend on itself: remove it from the list")
            return nil
        }
        guard self.places[other] != nil || self.otherInvalid.contains(other) else {
            let known = self.otherInvalid.union(self.places.keys)
                .map { $0.namespace == id.namespace ? $0.name : $0.description }
            let hint = NearestName.hint(for: reference.name, among: known)
            reference.field.error("there is no deployment \(other.description.inBackticks): \(hint)")
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

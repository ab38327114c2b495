import ControllerWords
import Deployments
package import Manifests

/// What merging a change would do: the desired states of two commits, compared.
package struct MergePlan: Codable, Hashable, Sendable {
    package var from: Commit
    package var to: Commit
    /// By deployment; those that stay as they are, are not among them.
    package var changes: [Change]
    package var unchanged: Int
    /// Of the commit that is to be merged.
    package var diagnostics: [Diagnostic]

    package struct Commit: Codable, Hashable, Sendable {
        /// As it was asked for: `origin/main`.
        package var revision: String
        package var commit: String
        package var subject: String
    }

    package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// Its first revision gets all traffic once it is ready.
        case new
        /// Another revision, by the manifest's steps.
        case rollout
        /// Applied to what runs, without a rollout.
        case inPlace = "in-place"
        case deleted
        /// Its manifest has errors: the last good one stands.
        case refused
    }

    package struct Change: Codable, Hashable, Sendable {
        package var deployment: String
        package var kind: Kind
        package var file: String
        /// `model magika 3.3 → 3.4`, `replicas 2 → 4`, `route`.
        package var parts: [String]
        /// What follows: `5 %, 25 %, 50 %, then 30m of bake`.
        package var note: String
        /// Of a rollout whose traffic is known.
        package var forecast: RolloutForecast?
    }

    /// A part of a repository's deployments above which a removal waits for an operator, where the daemon's
    /// configuration says nothing else: percent.
    private static let maxShare = 30

    /// - Parameters:
    ///   - from: The commit that is served, and what it wants.
    ///   - to: The one that is to be merged.
    ///   - forecast: What is expected of a rollout; nothing where nothing is known of its traffic.
    init(
        from: (commit: Commit, state: DesiredState),
        to: (commit: Commit, state: DesiredState),
        forecast: (DeploymentSpec) async -> RolloutForecast?
    ) async {
        self.from = from.commit
        self.to = to.commit
        self.diagnostics = to.state.diagnostics
        self.changes = []
        self.unchanged = 0
        let before = Dictionary(from.state.deployments.map { ($0.id, $0) }) { first, _ in first }
        for spec in to.state.deployments {
            guard let old = before[spec.id] else {
                let note = "gets all traffic once it is ready"
                self.add(spec, .new, ["model \(spec.model.name) \(spec.model.version)"], note)
                continue
            }
            let parts = Self.parts(of: spec, after: old)
            if old.revision != spec.revision {
                self.add(spec, .rollout, parts, Self.way(of: spec.rollout), await forecast(spec))
            } else if !parts.isEmpty {
                self.add(spec, .inPlace, parts, "no rollout")
            } else {
                self.unchanged += 1
            }
        }
        self.addRefused(to.state, before: before)
        self.addDeleted(to.state, before: from.state.deployments)
        self.changes.sort { $0.deployment < $1.deployment }
    }

    private mutating func add(
        _ spec: DeploymentSpec,
        _ kind: Kind,
        _ parts: [String],
        _ note: String,
        _ forecast: RolloutForecast? = nil
    ) {
        self.changes.append(
            Change(
                deployment: spec.id.description,
                kind: kind,
                file: spec.origin.path,
                parts: parts,
                note: note,
                forecast: forecast
            )
        )
    }

    private mutating func addRefused(_ state: DesiredState, before: [DeploymentID: DeploymentSpec]) {
        for id in state.invalid {
            let errors = state.diagnostics.filter { $0.severity == .error }
            let own = errors.first { $0.deployment == id }
            let path = own?.path ?? before[id]?.origin.path ?? ""
            let what = own == nil ? "its manifest or a `defaults.yaml` above it" : "its manifest"
            self.changes.append(
                Change(
                    deployment: id.description,
                    kind: .refused,
                    file: path,
                    parts: [],
                    note: before[id] == nil ? "\(what) has errors" : "\(what) has errors: the one before stands"
                )
            )
        }
    }

    private mutating func addDeleted(_ state: DesiredState, before: [DeploymentSpec]) {
        let present = state.invalid.union(state.deployments.map(\.id))
        let gone = before.filter { !present.contains($0.id) && !state.unreadable.contains($0.origin.path) }
        let isHeld = gone.count == before.count || gone.count > 1 && gone.count * 100 > Self.maxShare * before.count
        let note =
            isHeld
            ? "waits for `controller prune`: \(gone.count) of \(before.count) would go"
            : "goes after the repository's grace time"
        for spec in gone { self.add(spec, .deleted, ["model \(spec.model.name) \(spec.model.version)"], note) }
        let kept = before.filter { !present.contains($0.id) && state.unreadable.contains($0.origin.path) }
        for spec in kept { self.add(spec, .refused, [], "its file can't be read: the manifest before stands") }
    }

    // MARK: - Words

    private static func parts(of new: DeploymentSpec, after old: DeploymentSpec) -> [String] {
        var parts: [String] = []
        func note(_ name: String, _ isSame: Bool) { if !isSame { parts.append(name) } }
        func note(
            _ name: String,
            _ before: some CustomStringConvertible,
            _ after: some CustomStringConvertible
        ) {
            if "\(before)" != "\(after)" { parts.append("\(name) \(before) → \(after)") }
        }
        let (model, before) = (new.model, old.model)
        let isNamed = model.name == before.name && model.version == before.version
        if !isNamed {
            let name = model.name == before.name ? "" : "\(model.name) "
            parts.append("model \(before.name) \(before.version) → \(name)\(model.version)")
        }
        note("model's files", !isNamed || model.uri == before.uri && model.digest == before.digest)
        note("model's format", model.format == before.format)
        note("model's source", model.source == before.source)
        note("runtime", old.runtime.name, new.runtime.name)
        note("runtime \(new.runtime.name)", old.runtime == new.runtime || old.runtime.name != new.runtime.name)
        note("parameters", old.parameters == new.parameters)
        note("resources", old.resources == new.resources)
        note("replicas", old.replicas, new.replicas)
        note("autoscaling", old.autoscaling == new.autoscaling)
        note("route", old.route == new.route)
        note("slos", old.objectives == new.objectives)
        note("rollout", old.rollout == new.rollout)
        note("golden predictions", old.golden == new.golden)
        note("signature", old.signature == new.signature)
        note("labels", old.labels == new.labels)
        note("dependsOn", old.dependsOn == new.dependsOn)
        note("file", old.origin.path, new.origin.path)
        return parts
    }

    /// How a rollout goes: `5 %, 25 %, approval, 50 %, then 30m of bake`.
    private static func way(of policy: RolloutPolicy) -> String {
        let bake = policy.bakeTime > .zero ? ", then \(TimeText.span(policy.bakeTime / .seconds(1))) of bake" : ""
        guard !policy.steps.isEmpty else { return "\(policy.strategy.rawValue) without steps\(bake)" }
        let steps = policy.steps.map { step in
            if case .weight(let weight) = step.action { "\(weight.percent) %" } else { step.action.description }
        }
        let strategy = policy.strategy == .canary ? "" : "\(policy.strategy.rawValue): "
        return strategy + steps.joined(separator: ", ") + bake
    }
}

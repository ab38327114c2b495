import Analysis
package import ControllerAPI
import Deployments
package import Manifests

/// What `controller validate` found.
package struct ValidationReport: Encodable, Hashable, Sendable {
    package var files: Int
    package var deployments: [Deployment]
    /// Where the values of each come from; nothing unless that was asked for.
    package var specs: [Spec]?
    package var diagnostics: [Diagnostic]
    package var errors: Int
    package var warnings: Int

    package struct Deployment: Encodable, Hashable, Sendable {
        package var name: String
        package var path: String
        package var model: String
        package var version: String
        package var runtime: String
        package var revision: String
        /// What its gates do not promise: one line for each that decides by another tool's rule.
        package var notes: [String]
    }

    package struct Spec: Encodable, Hashable, Sendable {
        package var deployment: String
        package var values: [SpecStatus.Value]
    }

    init(
        _ state: DesiredState,
        of files: ManifestFiles,
        explained: [ExplainedSpec] = [],
        library: [Diagnostic]
    ) {
        if !explained.isEmpty { self.specs = explained.map { Self.spec($0, of: files) } }
        self.files = files.manifestCount
        self.deployments = state.deployments.map { spec in
            Deployment(
                name: spec.id.description,
                path: files.shownPath(spec.origin.path),
                model: spec.model.name,
                version: spec.model.version,
                runtime: spec.runtime.name,
                revision: spec.revision.digest,
                notes: Self.notes(on: spec.rollout)
            )
        }
        let found = state.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.path = files.shownPath(diagnostic.path)
            return diagnostic
        }
        self.diagnostics = library + files.diagnostics + found
        self.errors = self.diagnostics.count { $0.severity == .error }
        self.warnings = self.diagnostics.count - self.errors
    }

    private static func spec(_ explained: ExplainedSpec, of files: ManifestFiles) -> Spec {
        let values = explained.values.map { value in
            var value = value
            if let file = value.place?.file { value.place?.file = files.shownPath(file) }
            return SpecStatus.Value(field: value.field, value: value.text, origin: value.origin)
        }
        return Spec(deployment: explained.deployment.description, values: values)
    }

    private static func notes(on policy: RolloutPolicy) -> [String] {
        var notes: [String] = []
        for gate in policy.gates + policy.steps.flatMap({ $0.gates ?? [] }) {
            guard case .preset(let rule) = gate.kind else { continue }
            let note = "gate \(gate.name) decides by \(rule.words)"
            if !notes.contains(note) { notes.append(note) }
        }
        return notes
    }

    /// One line for each problem, as compilers print them and editors read them; then what is given up knowingly.
    func lines(width: Int?) -> [StyledText] {
        self.problems
            + self.deployments.flatMap { deployment in
                deployment.notes.map { note in
                    StyledText("\(deployment.path): ", .bold) + StyledText("note: ", .cyan)
                        + StyledText("\(deployment.name): \(note)")
                }
            }
            + (self.specs ?? []).flatMap { spec in
                [StyledText(), StyledText(spec.deployment, .bold)] + SpecTable.lines(spec.values, width: width)
            }
    }

    private var problems: [StyledText] {
        self.diagnostics.map { diagnostic in
            let (word, style): (String, StyledText.Style) =
                diagnostic.severity == .error ? ("error", .red) : ("warning", .yellow)
            let place = diagnostic.line > 0 ? ":\(diagnostic.line):\(diagnostic.column)" : ""
            let field = diagnostic.field.isEmpty ? "" : "\(diagnostic.field): "
            return StyledText("\(diagnostic.path)\(place): ", .bold) + StyledText("\(word): ", style)
                + StyledText("\(field)\(diagnostic.message)")
        }
    }

    /// `2 files, 1 deployment, 3 errors, 1 warning`
    var summary: String {
        [
            Self.counted(self.files, "file"), Self.counted(self.deployments.count, "valid deployment"),
            Self.counted(self.errors, "error"), self.warnings > 0 ? Self.counted(self.warnings, "warning") : "",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}

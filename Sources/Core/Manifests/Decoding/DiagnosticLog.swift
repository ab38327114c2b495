package import Deployments

/// Gathers what is wrong with one document while it is read, so that its author hears of everything at once.
package final class DiagnosticLog {
    package let path: String
    /// The deployment that the document declares, as soon as its name is known.
    package var deployment: DeploymentID?
    private var entries: [Diagnostic]

    package init(path: String) {
        self.path = path
        self.entries = []
    }

    /// Goes on after `entries`.
    init(path: String, deployment: DeploymentID, entries: [Diagnostic]) {
        self.path = path
        self.deployment = deployment
        self.entries = entries
    }

    package var hasErrors: Bool { self.entries.hasErrors }

    package var errorCount: Int { self.entries.count { $0.severity == .error } }

    package var diagnostics: [Diagnostic] {
        self.entries.map { entry in
            var entry = entry
            entry.deployment = self.deployment
            return entry
        }
    }

    /// Notes a problem, with the `path` of its file when that is not the document's own.
    package func add(
        _ severity: Diagnostic.Severity,
        path: String? = nil,
        at position: TextPosition,
        field: String,
        _ message: String
    ) {
        self.entries.append(
            Diagnostic(
                severity: severity,
                path: path ?? self.path,
                line: position.line,
                column: position.column,
                field: field,
                message: message
            )
        )
    }

    /// Notes what YAML allows and this product does not.
    func add(_ problems: [YAMLProblem]) {
        for problem in problems { self.add(.error, at: problem.position, field: "", problem.message) }
    }

    func error(at site: Site, _ message: String) {
        self.add(.error, at: site.position, field: site.path.text, message)
    }

    func warning(at site: Site, _ message: String) {
        self.add(.warning, at: site.position, field: site.path.text, message)
    }
}

extension [Diagnostic] {
    var hasErrors: Bool { self.contains { $0.severity == .error } }
}

package import Deployments

/// Gathers what is wrong with one document while it is read, so that its author hears of everything at once.
package final class DiagnosticLog {
    package let path: String
    /// The deployment that the document declares, as soon as its name is known.
    package var deployment: DeploymentID?
    private var entries: [Diagnostic]
    /// The `defaults.yaml` whose values are in the document too, the outermost first.
    private let layers: [String]

    package init(path: String) {
        self.path = path
        self.entries = []
        self.layers = []
    }

    /// Goes on after `entries`.
    init(path: String, layers: [String], deployment: DeploymentID, entries: [Diagnostic]) {
        self.path = path
        self.layers = layers
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
                path: path ?? self.path(at: position),
                line: position.line,
                column: position.column,
                field: field,
                message: message
            )
        )
    }

    /// The file that a value of the document stands in.
    private func path(at position: TextPosition) -> String {
        position.layer == 0 ? self.path : self.layers[position.layer - 1]
    }

    /// `prod/defaults.yaml:7`, to point at it from elsewhere.
    func place(of position: TextPosition) -> String { "\(self.path(at: position)):\(position.line)" }

    /// Notes what YAML allows and this product does not.
    func add(_ problems: [YAMLProblem]) {
        for problem in problems { self.add(.error, at: problem.position, field: "", problem.message) }
    }

    func error(at site: Site, _ message: String) {
        self.add(.error, at: site.position, field: site.path.text, message)
    }

    /// Notes that two values do not go together: at the one of them that is nearer to the manifest, when they stand in
    /// different files, as whoever mends it may not want to change the other for everybody below.
    func conflict(at site: Site, with other: Site?, _ message: String) {
        guard let other, other.position.layer != site.position.layer else { return self.error(at: site, message) }
        let (near, far) = site.position.isNearer(than: other.position) ? (site, other) : (other, site)
        let what = "\(far.path.text.inBackticks) stands in \(self.place(of: far.position))"
        self.error(at: near, "\(message). \(what): to do without it here, set it to `null`")
    }

    func warning(at site: Site, _ message: String) {
        self.add(.warning, at: site.position, field: site.path.text, message)
    }
}

extension [Diagnostic] {
    var hasErrors: Bool { self.contains { $0.severity == .error } }
}

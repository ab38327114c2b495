import Deployments

/// A draft on its way from one step of reading to the next, with what is wrong with it as far as that is known.
///
/// There may be tens of thousands, each of dozens of values: they are shared, so that none is copied on the way.
struct DecodedDeployment: Sendable {
    private final class Shared: Sendable {
        let draft: DeploymentDraft

        init(_ draft: DeploymentDraft) { self.draft = draft }
    }

    private let shared: Shared
    private(set) var problems: [Diagnostic]

    init(_ draft: DeploymentDraft, _ problems: [Diagnostic]) {
        self.shared = Shared(draft)
        self.problems = problems
    }

    var draft: DeploymentDraft { self.shared.draft }
    var id: DeploymentID { self.shared.draft.id }
    var file: String { self.shared.draft.file }
    var document: Site { self.shared.draft.document }
    var route: Route { self.shared.draft.route }
    var routeSite: Site? { self.shared.draft.routeSite }
    var dependsOn: [Reference] { self.shared.draft.dependsOn }

    /// Its own or those of a `defaults.yaml`: its last good manifest stands.
    var hasErrors: Bool { self.shared.draft.blocked != nil || self.problems.hasErrors }

    /// `a.yaml:3`, to point at it from elsewhere.
    var place: String { "\(self.file):\(self.document.position.line)" }

    /// To find more that is wrong with it; see ``keep(_:)``.
    var log: DiagnosticLog {
        DiagnosticLog(path: self.file, layers: self.shared.draft.layers, deployment: self.id, entries: self.problems)
    }

    mutating func error(at site: Site, _ message: String) {
        let log = self.log
        log.error(at: site, message)
        self.keep(log)
    }

    mutating func keep(_ log: DiagnosticLog) { self.problems = log.diagnostics }

    /// All that is known of it by now.
    mutating func keep(_ problems: [Diagnostic]) { self.problems = problems }
}

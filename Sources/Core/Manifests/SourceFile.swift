package import Deployments

/// One regular file of a commit's tree.
package struct SourceFile: Hashable, Sendable {
    /// From the root of the repository, with `/` between its parts.
    package var path: String
    /// The object id of the content; equal ids mean equal bytes.
    package var blob: String
    package var bytes: [UInt8]

    package init(path: String, blob: String, bytes: [UInt8]) {
        self.path = path
        self.blob = blob
        self.bytes = bytes
    }
}

/// Something in a manifest that its author must mend, or should know.
package struct Diagnostic: Hashable, Codable, Sendable, CustomStringConvertible {
    package enum Severity: String, Codable, Sendable { case error, warning }

    package var severity: Severity
    package var path: String
    /// From 1; 0 when the whole file is meant.
    package var line: Int
    package var column: Int
    /// `spec.rollout.steps[0].wieght`; empty for the document itself.
    package var field: String
    /// What is wrong, and what to write instead.
    package var message: String
    /// The deployment that the diagnostic concerns, when its name could be read.
    package var deployment: DeploymentID?

    package init(
        severity: Severity = .error,
        path: String,
        line: Int,
        column: Int,
        field: String,
        message: String,
        deployment: DeploymentID? = nil
    ) {
        self.severity = severity
        self.path = path
        self.line = line
        self.column = column
        self.field = field
        self.message = message
        self.deployment = deployment
    }

    /// `models/a.yaml:12:5: error: spec.replicas: …`, as compilers print it and editors read it.
    package var description: String {
        let field = self.field.isEmpty ? "" : "\(self.field): "
        return "\(self.path):\(self.line):\(self.column): \(self.severity.rawValue): \(field)\(self.message)"
    }
}

/// What one commit wants served.
package struct DesiredState: Hashable, Sendable {
    /// The valid deployments, sorted by id.
    package var deployments: [DeploymentSpec]
    package var diagnostics: [Diagnostic]
    /// Deployments that the commit names but whose manifest has errors: their last good one stands.
    package var invalid: Set<DeploymentID>
    /// Files that could not be read so far as to know which deployments they hold: none of theirs counts as deleted.
    package var unreadable: Set<String>
    package var freezes: [FreezeWindow]
    /// Freeze windows with errors: their last good ones stand. Nothing when it is not known which those are: all do.
    package var brokenFreezes: Set<String>?

    package init(
        deployments: [DeploymentSpec] = [],
        diagnostics: [Diagnostic] = [],
        invalid: Set<DeploymentID> = [],
        unreadable: Set<String> = [],
        freezes: [FreezeWindow] = [],
        brokenFreezes: Set<String>? = []
    ) {
        self.deployments = deployments
        self.diagnostics = diagnostics
        self.invalid = invalid
        self.unreadable = unreadable
        self.freezes = freezes
        self.brokenFreezes = brokenFreezes
    }
}

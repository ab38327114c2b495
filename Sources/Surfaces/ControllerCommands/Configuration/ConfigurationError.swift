package import Manifests

/// The daemon can't start with what it was told.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order of the file. Those of flags and variables have their name as path and no line.
    package var diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    package var description: String {
        self.diagnostics.map(Self.line).joined(separator: "\n")
    }

    package static func line(of diagnostic: Diagnostic) -> String {
        guard diagnostic.line == 0 else { return diagnostic.description }
        return "\(diagnostic.path): \(diagnostic.severity.rawValue): \(diagnostic.message)"
    }
}

import Reconciliation

/// Names a repository in every error about it.
struct RepositoryLabel: Hashable, Sendable {
    var name: String
    /// Without credentials.
    var url: String

    func error(_ code: SourceError.Code, _ text: String, _ recovery: Recovery = .needsOperator) -> SourceError {
        SourceError(code: code, message: "repository \"\(self.name)\" (\(self.url)): \(text)", recovery: recovery)
    }

    /// A value of the configuration, for an error about it.
    func shown(_ value: String) -> String {
        PrintableText.line(value, limit: 200)
    }
}

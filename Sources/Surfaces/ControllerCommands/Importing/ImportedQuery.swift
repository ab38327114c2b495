import Manifests

/// A query or an argument with its placeholders filled in.
struct ImportedQuery {
    let query: String
    /// Placeholders that nothing is known for.
    let unknown: [String]

    /// - Parameters:
    ///   - text: With `{{ name }}` in it.
    ///   - arguments: What the names stand for.
    ///   - prefix: What every name begins with: `args.`.
    init(_ text: String, arguments: [String: String], prefix: String) {
        var unknown: [String] = []
        let filled = text.replacing(/\{\{ *([A-Za-z0-9_.-]+) *\}\}/) { match in
            let name = String(match.1)
            let key = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
            if let key, let value = arguments[key] { return value }
            unknown.append(name)
            return String(match.0)
        }
        var lines = filled.split(separator: "\n", omittingEmptySubsequences: true).map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return line
        }.filter { !$0.isEmpty }
        let indent = lines.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        lines = lines.map { $0.dropFirst(indent) }
        self.query = lines.joined(separator: "\n")
        self.unknown = unknown
    }

    private var namesRevision: Bool { self.query.contains("${revision}") }

    /// For whoever reads the manifest.
    var comment: String? {
        if let name = self.unknown.first { return "to decide: what {{\(name)}} stands for" }
        return self.namesRevision ? nil : Self.bothRevisions
    }

    private static let bothRevisions =
        #"to decide: how the canary's series are told from stable's, as by {revision="${revision}"}"#

    /// Says what the query needs from a person.
    func tell(at field: ImportField) {
        for name in self.unknown { field.decide("nobody says what {{\(name)}} stands for: write it out") }
        if !self.namesRevision {
            field.decide("it asks for both revisions alike: choose the canary's series by a label that is ${revision}")
        }
    }
}

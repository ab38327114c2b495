import Deployments

/// What documents of one kind declare, by name.
struct Declarations<Value: Sendable>: Sendable {
    enum Answer {
        case found(Value)
        /// Declared, with errors.
        case broken(place: String)
        case missing
    }

    private(set) var values: [String: Value] = [:]
    /// Names of declarations with errors, and where they are.
    private(set) var broken: [String: String] = [:]
    /// Where declarations may be whose names could not be read.
    var unnamed: [String] = []
    private var places: [String: String] = [:]

    subscript(name: String) -> Answer {
        if let place = self.broken[name] { return .broken(place: place) }
        return self.values[name].map { .found($0) } ?? .missing
    }

    var names: [String] { Array(self.places.keys) }

    /// Where a declaration with errors is, the named ones first.
    var anyBroken: String? { self.broken.values.min() ?? self.unnamed.first }

    /// - Returns: Where the name is declared already, if it is. Then no declaration counts.
    mutating func insert(_ value: Value?, named name: String, place: String) -> String? {
        if let first = self.places[name] {
            self.broken[name] = place
            return first
        }
        self.places[name] = place
        if let value {
            self.values[name] = value
        } else {
            self.broken[name] = place
        }
        return nil
    }
}

/// What comes with the product.
struct Library: Sendable {
    var runtimes = Declarations<PreparedRuntime>()
    var templates = Declarations<Gate>()
    var diagnostics: [Diagnostic] = []

    init(reading files: [SourceFile], limits: ManifestLimits) {
        var reading = SnapshotReading()
        for file in files.sorted(by: { $0.path < $1.path }) where file.isManifest {
            reading.read(DecodedFile(decoding: file, over: nil, limits: limits), of: file)
        }
        let strangers = reading.drafts.map { draft in
            let log = draft.log
            let message = "a ModelDeployment belongs into a watched repository, not among what is shipped"
            log.error(at: draft.document, message)
            return log
        }
        for document in reading.freezeDocuments {
            document.error("a FreezeWindow belongs into a watched repository, not among what is shipped")
        }
        self.runtimes = reading.runtimes
        self.templates = reading.templates
        self.diagnostics = ManifestReader.arrange(
            (reading.otherLogs + strangers).flatMap(\.diagnostics),
            limit: limits.diagnosticsPerFile
        )
    }
}

import Deployments
import Foundation
import Manifests

extension Configuration {
    /// Where the file is when no flag names one.
    package static let defaultPath = "/etc/controller/controller.yaml"

    /// Reads the file at `path`, and what variables and flags say instead.
    ///
    /// - Throws: A `ConfigurationError` with everything that is wrong.
    package static func load(
        path: String = Self.defaultPath,
        environment: [String: String],
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) throws(ConfigurationError) -> Configuration {
        try Configuration(
            reading: try Self.read(path: path),
            path: path,
            environment: environment,
            overrides: overrides
        )
    }

    /// The file's bytes.
    ///
    /// - Throws: A `ConfigurationError` when it cannot be read.
    package static func read(path: String) throws(ConfigurationError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            let isMissing = (error as? CocoaError)?.code == .fileReadNoSuchFile
            let message =
                isMissing
                ? "there is no such file: write one, or name another with --config"
                : "the file can't be read (\(error.localizedDescription)): check its permissions"
            throw ConfigurationError([Diagnostic(path: path, line: 0, column: 0, field: "", message: message)])
        }
    }

    /// Decodes the text of a configuration file.
    ///
    /// - Throws: A `ConfigurationError` with everything that is wrong.
    package init(
        reading bytes: [UInt8],
        path: String,
        environment: [String: String] = [:],
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) throws(ConfigurationError) {
        let log = DiagnosticLog(path: path)
        let sources = SettingSources(environment: environment, overrides: overrides)
        let stream = YAMLStream(parsing: bytes)
        for problem in stream.documents.flatMap(\.problems) + (stream.failure.map { [$0] } ?? []) {
            log.add(.error, at: problem.position, field: "", problem.message)
        }
        if stream.documents.isEmpty, stream.failure == nil {
            let message = "the file is empty: write at least `repositories`"
            log.add(.error, at: TextPosition(line: 1, column: 1), field: "", message)
        }
        if stream.documents.count > 1 {
            let position = stream.documents[1].root.position
            log.add(.error, at: position, field: "", "a configuration is one document: remove the line `---`")
        }
        let decoder = ConfigurationDecoder(sources: sources)
        let root = stream.documents.first.map { Field(document: $0.root, log: log) }
        let configuration = decoder.configuration(from: root?.members(of: .configuration), log: log)
        let all = (log.diagnostics + sources.diagnostics).sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        let errors = all.filter { $0.severity == .error }
        guard errors.isEmpty else { throw ConfigurationError(errors) }
        self = configuration
        self.warnings = all.filter { $0.severity == .warning }
    }
}

package import ArgumentParser
import Deployments
import Foundation
package import Manifests

package struct ConfigCheckCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with a configuration, and what it comes to.",
        discussion: """
            Reads the file and the variables CONTROLLER_… as `controller run` does, and asks nobody. Each problem has
            its place and what to write instead; then come the settings in effect, each with where it comes from. It
            exits with 0 when there are no errors (warnings may be), 1 when there are, 2 when the file cannot be read.

            The files and programs that it names must be there for this user: run it as the controller's. With
            --text-only, only the text counts, as in a pipeline on another machine.

            EXAMPLES
              sudo -u controller controller config check
              controller config check ./controller.yaml --text-only
              controller config check --output json | jq -r '.problems[].message'
            """
    )

    @Argument(
        help: ArgumentHelp("The configuration file. Default: \(Configuration.defaultPath).", valueName: "file"),
        completion: .file()
    )
    package var file: String = Configuration.defaultPath

    @Flag(help: "Not whether the files and programs that it names are here.")
    package var textOnly = false

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func run(on console: Console) async throws {
        let bytes: [UInt8]
        do {
            bytes = try Configuration.read(path: self.file)
        } catch {
            throw CommandFailure(code: .usage, message: "\(error)")
        }
        var report = ConfigurationReport(file: self.file)
        do {
            let configuration = try Configuration(reading: bytes, path: self.file, environment: console.environment)
            let settings = EffectiveSettings(of: bytes, path: self.file, environment: console.environment)
            report.values = settings.values
            report.problems = configuration.warnings.map(ConfigurationReport.Problem.init)
            if !self.textOnly {
                report.problems += settings.unreadableFiles(in: self.file).map(ConfigurationReport.Problem.init)
                report.problems += configuration.missingPrograms(in: console.environment["PATH", default: ""]).map {
                    ConfigurationReport.Problem(program: $0)
                }
                report.problems += configuration.missingRuntimes.map { ConfigurationReport.Problem(program: $0) }
            }
        } catch {
            report.problems = error.diagnostics.map(ConfigurationReport.Problem.init)
        }
        try self.output.print(report, on: console) { report.lines(width: console.terminal()?.columns) }
        let errors = report.problems.count { $0.severity == .error }
        if self.output == .table { console.tell(StyledText(report.summary)) }
        // The output says it all.
        if errors > 0 { throw CommandFailure(code: .refused, message: "") }
    }
}

/// What `config check` found.
package struct ConfigurationReport: Codable, Hashable, Sendable {
    package struct Problem: Codable, Hashable, Sendable {
        package var severity: Diagnostic.Severity
        /// The file, or the flag or variable; nothing for what the machine lacks.
        package var path: String?
        package var line: Int?
        package var column: Int?
        package var field: String?
        package var message: String
        /// As it is printed.
        fileprivate var text: String

        enum CodingKeys: String, CodingKey { case severity, path, line, column, field, message, text }

        init(_ diagnostic: Diagnostic) {
            self.severity = diagnostic.severity
            self.path = diagnostic.path
            self.line = diagnostic.line > 0 ? diagnostic.line : nil
            self.column = diagnostic.line > 0 ? diagnostic.column : nil
            self.field = diagnostic.field.isEmpty ? nil : diagnostic.field
            self.message = diagnostic.message
            self.text = ConfigurationError.line(of: diagnostic)
        }

        /// Something that the machine lacks.
        init(program line: String) {
            self.severity = .error
            self.message = line.replacing("error: ", with: "", maxReplacements: 1)
            self.text = "error: \(self.message)"
        }
    }

    package var file: String
    package var problems: [Problem] = []
    /// Nothing while there are errors in the text.
    package var values: [EffectiveSettings.Value] = []

    func lines(width: Int?) -> [StyledText] {
        let problems = self.problems.map { problem in
            StyledText(problem.text, problem.severity == .error ? .red : .yellow)
        }
        guard !self.values.isEmpty else { return problems }
        var table = TextTable("SETTING", "VALUE", "FROM")
        for value in self.values {
            table.add(StyledText(value.setting, .bold), StyledText(value.value), StyledText(value.origin))
        }
        return problems + table.lines(width: width)
    }

    var summary: String {
        let errors = self.problems.count { $0.severity == .error }
        let warnings = self.problems.count - errors
        guard !self.problems.isEmpty else { return "\(self.file): no problems" }
        return "\(self.file): \(errors) \(errors == 1 ? "error" : "errors"), "
            + "\(warnings) \(warnings == 1 ? "warning" : "warnings")"
    }
}

extension Configuration {
    /// Folders of shipped runtimes that are not there.
    fileprivate var missingRuntimes: [String] {
        self.runtimes.filter { !FileManager.default.isReadableFile(atPath: $0) }.map {
            "`runtimes` names \($0), which this user cannot read: make it, or take it out"
        }
    }
}

extension EffectiveSettings {
    /// Files that are named and cannot be read, and secrets that others may read.
    fileprivate func unreadableFiles(in path: String) -> [Diagnostic] {
        self.files.compactMap { setting, file, position in
            func diagnostic(_ severity: Diagnostic.Severity, _ message: String) -> Diagnostic {
                Diagnostic(
                    severity: severity,
                    path: path,
                    line: position.line,
                    column: position.column,
                    field: setting,
                    message: message
                )
            }
            guard FileManager.default.isReadableFile(atPath: file) else {
                return diagnostic(
                    .error,
                    "\(file.inBackticks) cannot be read: make it exist, and readable for this user"
                )
            }
            let name = setting.split(separator: ".").last ?? ""
            // One that cannot be looked at could not be read either.
            let attributes = try? FileManager.default.attributesOfItem(atPath: file)
            let mode = attributes?[.posixPermissions] as? Int ?? 0
            guard Self.secrets.contains(String(name)), mode & 0o077 != 0 else { return nil }
            return diagnostic(
                .warning,
                "others may read \(file.inBackticks) (mode \(String(mode, radix: 8))): `chmod 600 \(file)`"
            )
        }
    }

    private static let secrets: Set<String> = [
        "tokenFile", "secretFile", "passwordFile", "privateKeyFile", "keyFile", "sshKeyFile",
    ]
}

package import ArgumentParser
import Deployments
import Foundation
import Manifests

package struct ValidateCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check manifests as the controller will read them; no controller needed.",
        discussion: """
            Reads the files and folders as one commit would hold them, so templates, runtimes and golden files must be
            among them. A defaults.yaml above them counts too, up to the root of the git repository. Each problem is
            printed as file:line:column. It exits with 0 when there are no errors (warnings may be), 1 when there are, 2
            when the paths cannot be read. Good as a pre-commit hook and in CI.

            EXAMPLES
              controller validate models/
              controller validate models/prod/file-type.yaml --explain-spec
              controller validate --output json . | jq -r '.diagnostics[].message'
            """
    )

    @Argument(help: ArgumentHelp("Manifests, or folders of them.", valueName: "path"), completion: .file())
    package var paths: [String]

    @Option(
        help: ArgumentHelp(
            "The ServingRuntimes that the controller ships with. Default: CONTROLLER_RUNTIMES, or those installed "
                + "with this program.",
            valueName: "folder"
        ),
        completion: .directory
    )
    package var runtimes: String?

    @Flag(help: "Also each value of each valid deployment, and the file and line that it comes from.")
    package var explainSpec = false

    @Option(name: [.short, .long], help: "table for people (a line for each problem), json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func run(on console: Console) async throws {
        let report = try self.report(environment: console.environment)
        try self.output.print(report, on: console) { report.lines(width: console.terminal()?.columns) }
        if self.output == .table { console.tell(StyledText(report.summary)) }
        if report.files == 0 {
            throw CommandFailure(
                code: .usage,
                message: "no .yaml or .yml files in \(self.paths.joined(separator: ", "))"
            )
        }
        // The output says it all.
        if report.errors > 0 { throw CommandFailure(code: .refused, message: "") }
    }

    private func report(environment: [String: String]) throws -> ValidationReport {
        let library = try (self.runtimes ?? ShippedRuntimes.folder(environment: environment)).map {
            try ManifestFiles(paths: [$0])
        }
        let files = try ManifestFiles(paths: self.paths, withDefaults: true)
        let reader = ManifestReader(library: library?.files ?? [])
        // Nothing of the commit is known before there is one; it is no part of a revision.
        let origin = CommitReference(repository: "", branch: "", commit: "")
        var memory = ManifestMemory()
        let state = reader.read(files.files, origin: origin, knowing: &memory)
        let explained = self.explainSpec ? state.deployments.compactMap { reader.explain($0.id, knowing: memory) } : []
        return ValidationReport(
            state,
            of: files,
            explained: explained,
            library: reader.libraryDiagnostics.map { diagnostic in
                var diagnostic = diagnostic
                diagnostic.path = library?.shownPath(diagnostic.path) ?? diagnostic.path
                return diagnostic
            }
        )
    }
}

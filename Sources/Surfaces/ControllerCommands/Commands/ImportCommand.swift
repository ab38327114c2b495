package import ArgumentParser
import Foundation
import Manifests

package struct ImportCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turn KServe's, Argo Rollouts' and Flagger's manifests into ours; no controller or cluster needed.",
        discussion: """
            Reads InferenceServices, Rollouts and Canaries, with the templates, Deployments and autoscalers that they
            refer to, from a repository or from `kubectl get -o yaml`. Manifests go to stdout. What could not be carried
            over goes to stderr, a line each:

              lost      it has no place in a manifest; the line says what to do instead
              decide    somebody must fill it in: look for `# to decide:` in the manifests
              chosen    it became something of the same intent
              refused   `controller validate` would not accept what came out

            It exits with 0 when everything was carried over, 1 when something was not (the rest is there all the same),
            2 when the input cannot be read or holds nothing to import.

            EXAMPLES
              controller import clusters/production > deployments/imported.yaml
              controller import rollout.yaml analysis.yaml --into deployments
              kubectl get isvc,rollouts,canaries,deployments,hpa -A -o yaml | controller import - --output json
            """
    )

    @Argument(help: ArgumentHelp("Files, or folders of them; - is stdin.", valueName: "path"), completion: .file())
    package var paths: [String]

    @Option(help: ArgumentHelp("Write a file for each manifest into this folder.", valueName: "folder"))
    package var into: String?

    @Flag(help: "With --into: write files anew that are there already.")
    package var force = false

    @Option(help: ArgumentHelp("The namespace of what names none.", valueName: "namespace"))
    package var namespace: String = "default"

    @Option(
        help: ArgumentHelp("The ServingRuntimes that the controller ships with, as for validate.", valueName: "folder"),
        completion: .directory
    )
    package var runtimes: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func validate() throws {
        guard NameForm.isLabel(self.namespace) else {
            throw ValidationError("--namespace must be at most 63 lower-case letters, digits and inner hyphens.")
        }
        guard !self.paths.isEmpty else { throw ValidationError("Name a file or a folder, or - for stdin.") }
        guard self.into != nil || !self.force else { throw ValidationError("--force is about the files of --into.") }
    }

    package func run(on console: Console) async throws {
        let library = try (self.runtimes ?? ShippedRuntimes.folder(environment: console.environment)).map {
            try ManifestFiles(paths: [$0])
        }
        let report = ImportReport(
            try ImportSources(paths: self.paths),
            namespace: self.namespace,
            acceptance: ImportAcceptance(library: library?.files ?? []),
            folder: self.into
        )
        if let into { try ImportFolder(path: into, replaces: self.force).write(report.manifests) }
        switch self.output {
        case .table:
            if self.into == nil { try console.output(report.yaml) }
            report.findings.map(\.text).forEach(console.tell)
            console.tell(StyledText(report.summary))
        case .json, .yaml:
            try self.output.print(report, on: console) { [] }
        }
        try self.end(report)
    }

    private func end(_ report: ImportReport) throws {
        let unreadable = report.count(of: .error)
        guard unreadable == 0 else {
            throw CommandFailure(code: .usage, message: "not all of the input can be read; the rest is imported")
        }
        guard !report.manifests.isEmpty else {
            throw CommandFailure(
                code: .usage,
                message: "nothing to import: no InferenceService, Rollout or Canary that this command reads in "
                    + self.paths.joined(separator: ", ")
            )
        }
        // The list says it all.
        if !report.isComplete { throw CommandFailure(code: .refused, message: "") }
    }
}

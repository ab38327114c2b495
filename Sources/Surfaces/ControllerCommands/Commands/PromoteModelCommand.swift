package import ArgumentParser
import ControllerAPI
import Deployments

package struct PromoteModelCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "promote-model",
        abstract: "Propose to git that a deployment serve another version of its model.",
        discussion: """
            The controller asks the model registry, and writes a branch with one commit that changes `version`, `uri`
            and `digest` of the deployment's manifest and nothing else; with --pull-request it opens a pull request for
            it, too. `promotions` of the repository must allow that. What serves does not change until it is merged.

            The digest is the version's tag sha256 in the registry. Without that tag and without --digest the manifest
            pins none, and a warning says so.

            EXAMPLES
              controller promote-model search/file-type --to 8
              controller promote-model search/file-type --to @champion --dry-run
              controller promote-model search/file-type --to @champion --pull-request --why "better on archives"
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Option(
        help: ArgumentHelp(
            "A version of the model registry, such as 8, or an alias, such as @champion.",
            valueName: "version|@alias"
        )
    )
    package var to: String

    @Option(help: ArgumentHelp("What the manifest pins. Default: what the registry says.", valueName: "sha256:…"))
    package var digest: String?

    @Flag(help: "Open a pull request for the branch, too, where the controller may.")
    package var pullRequest = false

    @Flag(help: "Only show what the commit would change.")
    package var dryRun = false

    @Option(help: ArgumentHelp("The reason. It stands in the commit.", valueName: "text"))
    package var why: String = ""

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard ModelRequest(to: self.to).selector != nil else {
            throw ValidationError("--to takes a version such as 8, or an alias such as @champion.")
        }
        if let digest = self.digest, !ModelRequest.isDigest(digest) {
            throw ValidationError("--digest takes sha256: and 64 lower-case hexadecimal digits.")
        }
    }

    package func run(on console: Console) async throws {
        let request = ModelRequest(
            to: self.to,
            digest: self.digest,
            mode: self.pullRequest ? .pullRequest : .branch,
            dryRun: self.dryRun,
            by: console.environment["SUDO_USER", default: ""],
            why: self.why
        )
        let answer: ModelAnswer
        do {
            answer = try await self.connection.client(console).promote(self.name.id, request)
        } catch {
            throw CommandFailure(error)
        }
        guard answer.accepted else { throw CommandFailure(code: .refused, message: answer.message) }
        for warning in answer.warnings { console.tell("warning: \(warning)") }
        try self.output.print(answer, on: console) {
            [StyledText(answer.message)] + Self.lines(of: answer.diff ?? "")
        }
    }

    private static func lines(of diff: String) -> [StyledText] {
        diff.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            switch line.first {
            case "+": StyledText(String(line), .green)
            case "-": StyledText(String(line), .red)
            default: StyledText(String(line))
            }
        }
    }
}

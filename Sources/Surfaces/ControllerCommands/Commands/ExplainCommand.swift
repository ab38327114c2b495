package import ArgumentParser
import ControllerAPI
import ControllerWords

package struct ExplainCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say in sentences where a deployment is, why, what happens next, and what you can do.",
        discussion: """
            EXAMPLES
              controller explain search/file-type
              controller explain search/file-type --output json | jq -r '.next[] | "\\(.at // "then") \\(.what)"'
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let status: DeploymentStatus
        do {
            status = try await self.connection.client(console).deployment(self.name.id)
        } catch {
            throw CommandFailure(error)
        }
        // Longer lines are tiring to read, however wide the terminal is.
        let width = min(100, console.terminal()?.columns ?? 100)
        let explanation = Explanation(status, now: console.now())
        try self.output.print(explanation, on: console) { explanation.lines(width: width) }
    }
}

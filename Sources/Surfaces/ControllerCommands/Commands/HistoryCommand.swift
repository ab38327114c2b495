package import ArgumentParser
import ControllerAPI

package struct HistoryCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what happened to a deployment, oldest first.",
        discussion: """
            EXAMPLES
              controller history search/file-type
              controller history search/file-type --limit 200 --output json
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Option(help: "The newest so many events, 1 to \(APIRoute.historyLimit).")
    package var limit: Int = APIRoute.defaultHistoryLimit

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard (1...APIRoute.historyLimit).contains(self.limit) else {
            throw ValidationError("--limit must be from 1 to \(APIRoute.historyLimit).")
        }
    }

    package func run(on console: Console) async throws {
        let events: [EventStatus]
        do {
            events = try await self.connection.client(console).history(self.name.id, limit: self.limit)
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(events, on: console) {
            HistoryTable.lines(events, now: console.now(), width: console.terminal()?.columns)
        }
    }
}

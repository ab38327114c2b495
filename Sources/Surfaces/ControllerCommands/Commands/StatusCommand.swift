package import ArgumentParser
import ControllerAPI

package struct StatusCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show one deployment: its rollout, revisions, replicas, gates and what it waits for.",
        discussion: """
            With --watch it is drawn again every second on a terminal; in a pipe a line is written for each change (with
            --output json, the whole status on one line). It goes on when the controller restarts, and ends with
            Ctrl-C.

            EXAMPLES
              controller status search/file-type
              controller status search/file-type --watch
              controller status search/file-type --output json | jq .gates
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Flag(name: [.short, .long], help: "Keep showing it as it changes.")
    package var watch = false

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        guard self.watch else {
            let status: DeploymentStatus
            do {
                status = try await client.deployment(self.name.id)
            } catch {
                throw CommandFailure(error)
            }
            return try self.output.print(status, on: console) {
                StatusTree.lines(status, now: console.now(), width: console.terminal()?.columns)
            }
        }
        let watch = Watch(client: client, name: self.name.id, console: console)
        if self.output == .table, console.canRedraw {
            try await watch.redraw()
        } else {
            try await watch.printChanges(self.output)
        }
    }
}

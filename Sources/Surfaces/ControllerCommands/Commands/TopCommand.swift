package import ArgumentParser
import ControllerAPI

package struct TopCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show all deployments as they move, the most urgent first.",
        discussion: """
            BREACH is how near the worst gate is to taking the traffic back, SAFE how near the slowest is to allowing
            the next weight; NEXT is the time until something happens by itself. Drawn again every second on a terminal;
            elsewhere a line is written for each change (with --output json, a whole status on one line). It goes on
            when the controller restarts, and ends with Ctrl-C.

            EXAMPLES
              controller top
              controller top --namespace search
              controller top --output json | jq -r '.name + " " + .phase'
            """
    )

    @Option(help: "Only the deployments of this namespace.")
    package var namespace: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let namespace = self.namespace
        try await FleetWatch(
            client: self.connection.client(console),
            console: console,
            selects: { namespace == nil || $0.namespace == namespace },
            draw: { TopTable.lines($0, now: $1, width: $2) }
        ).run(self.output)
    }
}

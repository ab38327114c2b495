package import ArgumentParser
import ControllerAPI
import ControllerWords
import Foundation

package struct WhoamiCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "whoami",
        abstract: "Show which controller is asked, who it takes you for, and what you may.",
        discussion: """
            EXAMPLES
              controller whoami
              controller whoami --context production --output json
            """
    )

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let (client, status): (ControllerClient, CallerStatus)
        do {
            client = try self.connection.client(console)
            status = try await client.whoami()
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(status, on: console) {
            var lines = [
                StyledText("controller  \(client.target)"), StyledText("you are     \(status.caller.attribution)"),
            ]
            lines += status.grants.map { StyledText("you may     \($0.description)") }
            if status.grants.isEmpty {
                lines.append(StyledText("you may     nothing: ask an administrator for a role"))
            }
            if let expires = status.expires {
                lines.append(StyledText("until       \(TimeText.clock(expires, now: console.now()))"))
            }
            return lines
        }
    }
}

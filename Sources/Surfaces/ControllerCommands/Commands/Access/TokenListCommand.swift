package import ArgumentParser
import ControllerAPI
import Foundation

package struct TokenListCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tokens, without their secrets."
    )

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let tokens: [TokenStatus]
        do {
            tokens = try await self.connection.client(console).tokens()
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(tokens, on: console) {
            TokenTable.lines(tokens, now: console.now(), width: console.terminal()?.columns)
        }
    }
}

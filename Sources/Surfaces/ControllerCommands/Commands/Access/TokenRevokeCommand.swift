package import ArgumentParser
import ControllerAPI
import Foundation

package struct TokenRevokeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke a token at once.")

    @Argument(help: "The token's id, as `controller token list` shows it.")
    package var id: String

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let token: TokenStatus
        do {
            token = try await self.connection.client(console).revoke(token: self.id)
        } catch {
            throw CommandFailure(error)
        }
        try console.print(StyledText("\(token.name)'s token \(token.id) is revoked"))
    }
}

package import ArgumentParser
import ControllerAPI

package struct NotifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Try those who are told of what happens.",
        discussion: """
            EXAMPLES
              controller notify test chat
            """,
        subcommands: [NotifyTestCommand.self]
    )

    package init() {}
}

package struct NotifyTestCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a test message to a receiver, and say what it answered.",
        discussion: """
            The controller sends it itself, at once and once, with the files and from the place that real messages are
            sent with and from. It says that nothing happened, and who sends it.

            EXAMPLES
              controller notify test chat
              controller notify test alertmanager --output json
            """
    )

    @Argument(help: "The receiver's name in the controller's configuration.")
    package var receiver: String

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let answer: OperatorAnswer
        do {
            let by = console.environment["SUDO_USER", default: ""]
            answer = try await self.connection.client(console).test(receiver: self.receiver, ReceiverTest(by: by))
        } catch {
            throw CommandFailure(error)
        }
        guard answer.accepted else { throw CommandFailure(code: .refused, message: answer.message) }
        try self.output.print(answer, on: console) { [StyledText(answer.message)] }
    }
}

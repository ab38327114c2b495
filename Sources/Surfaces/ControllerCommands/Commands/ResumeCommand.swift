package import ArgumentParser
import ControllerAPI

package struct ResumeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End a pause.",
        discussion: """
            EXAMPLES
              controller resume search/file-type
            """
    )

    @OptionGroup
    package var options: CommandOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(OperatorRequest(verb: .resume), on: console)
    }
}

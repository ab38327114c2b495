package import ArgumentParser
import ControllerAPI

package struct ResumeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End a pause.",
        discussion: """
            EXAMPLES
              controller resume search/file-type
              controller resume --selector team=search
              controller resume --all --why "incident 4711 is over"
            """
    )

    @OptionGroup
    package var options: SelectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(BatchRequest(verb: .resume, selection: DeploymentSelection()), on: console)
    }
}

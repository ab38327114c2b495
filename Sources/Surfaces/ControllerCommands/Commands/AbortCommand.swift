package import ArgumentParser
import ControllerAPI

package struct AbortCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "End the rollout in flight; stable takes all traffic.",
        discussion: """
            EXAMPLES
              controller abort search/file-type --why "wrong artifact"
            """
    )

    @OptionGroup
    package var options: CommandOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(OperatorRequest(verb: .abort), on: console)
    }
}

package import ArgumentParser
import ControllerAPI

package struct RetryCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Lift a quarantine and start the rollout over, for the same commit.",
        discussion: """
            EXAMPLES
              controller retry search/file-type --why "the metric provider was down"
            """
    )

    @OptionGroup
    package var options: CommandOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(OperatorRequest(verb: .retry), on: console)
    }
}

package import ArgumentParser
import ControllerAPI

package struct AbortCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "End the rollout in flight: stable takes all traffic at once, and the revision is quarantined.",
        discussion: """
            The revision stays out until `controller retry` or a commit with another one. `rollback` does the same to a
            rollout in flight, and also takes back what was promoted.

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

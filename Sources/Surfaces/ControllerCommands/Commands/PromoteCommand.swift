package import ArgumentParser
import ControllerAPI

package struct PromoteCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Pass an approval or the current step; with --full, every step.",
        discussion: """
            A failed gate still refuses. --force passes that too; who forced what and why is kept in the history.

            EXAMPLES
              controller promote search/file-type --why "reviewed the drift report"
              controller promote search/file-type --full
            """
    )

    @OptionGroup
    package var options: CommandOptions

    @Flag(help: "Pass every remaining step.")
    package var full = false

    @Flag(help: "Also past a failed gate.")
    package var force = false

    package init() {}

    package func run(on console: Console) async throws {
        let request = OperatorRequest(verb: .promote, full: self.full, force: self.force)
        try await self.options.send(request, on: console, asksWhy: self.force)
    }
}

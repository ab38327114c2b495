package import ArgumentParser
import ControllerAPI

package struct PruneCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Confirm that a manifest which is gone from git is meant to be: the deployment ends.",
        discussion: """
            A manifest that vanishes ends its deployment by itself after two polls and a grace time, unless its commit
            removed too many at once, emptied the watched path or rewrote history. Then this command decides.

            EXAMPLES
              controller prune search/file-type --why "replaced by search/file-kind"
            """
    )

    @OptionGroup
    package var options: CommandOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(OperatorRequest(verb: .prune), on: console)
    }
}

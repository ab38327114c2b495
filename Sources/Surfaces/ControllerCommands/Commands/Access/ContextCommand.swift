package import ArgumentParser

package struct ContextCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "context",
        abstract: "Give other machines' controllers names, and choose which one is asked.",
        discussion: """
            EXAMPLES
              controller context add production --server https://controller.example:8443
              controller context use production
              controller context list
            """,
        subcommands: [
            ContextAddCommand.self, ContextListCommand.self, ContextUseCommand.self, ContextRemoveCommand.self,
        ]
    )

    package init() {}
}

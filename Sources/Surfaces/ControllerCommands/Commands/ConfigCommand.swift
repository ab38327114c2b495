package import ArgumentParser

package struct ConfigCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check the configuration of the controller, and say what may be in it.",
        discussion: """
            EXAMPLES
              controller config check
              controller config check ./controller.yaml --output json
              controller config reference
            """,
        subcommands: [ConfigCheckCommand.self, ConfigReferenceCommand.self]
    )

    package init() {}
}

package struct ConfigReferenceCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Print every setting of the configuration file, with its default.",
        discussion: """
            EXAMPLES
              controller config reference
              controller config reference --output json
            """
    )

    @Option(name: [.short, .long], help: "table for people (Markdown), json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func run(on console: Console) async throws {
        switch self.output {
        case .table: try console.output(ConfigurationReference.markdown)
        case .json, .yaml:
            let rows = ConfigurationReference.sections.flatMap(ConfigurationReference.rows)
            try self.output.print(rows, on: console) { [] }
        }
    }
}

package import ArgumentParser
import ControllerAPI
import Foundation

package struct ContextListCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the controllers that have names."
    )

    package init() {}

    package func run(on console: Console) async throws {
        let contents = try ContextFile(environment: console.environment).read()
        guard !contents.contexts.isEmpty else {
            return console.tell("no contexts: commands ask this machine's controller, by its socket")
        }
        try console.print(
            contents.contexts.sorted { $0.key < $1.key }.map { name, entry in
                StyledText("\(contents.current == name ? "*" : " ") \(name)  \(entry.server)")
            }
        )
    }
}

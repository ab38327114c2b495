package import ArgumentParser
import ControllerAPI
import Foundation

package struct ContextUseCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Choose the controller that is asked when a command names none."
    )

    @Argument(help: "A context's name; none for this machine's controller.")
    package var name: String?

    package init() {}

    package func run(on console: Console) async throws {
        let file = ContextFile(environment: console.environment)
        var contents = try file.read()
        if let name, contents.contexts[name] == nil {
            throw CommandFailure(
                code: .usage,
                message: "there is no context \(name): see `controller context list`"
            )
        }
        contents.current = self.name
        try file.write(contents)
        try console.print(StyledText("\(self.name ?? "this machine's controller") is asked now"))
    }
}

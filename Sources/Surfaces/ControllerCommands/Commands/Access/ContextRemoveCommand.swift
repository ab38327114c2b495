package import ArgumentParser
import ControllerAPI
import Foundation

package struct ContextRemoveCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a controller and its token. The token goes on being valid: revoke it, too."
    )

    @Argument(help: "The context's name.")
    package var name: String

    package init() {}

    package func run(on console: Console) async throws {
        let file = ContextFile(environment: console.environment)
        var contents = try file.read()
        guard contents.contexts.removeValue(forKey: self.name) != nil else {
            throw CommandFailure(
                code: .usage,
                message: "there is no context \(self.name): see `controller context list`"
            )
        }
        if contents.current == self.name { contents.current = nil }
        try file.write(contents)
        file.removeToken(of: self.name)
        try console.print(StyledText("\(self.name) is forgotten"))
    }
}

package import ArgumentParser
import ControllerAPI
import Foundation

package struct ContextAddCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a controller, or replace it. Its token is read from stdin, or stays in a file of yours.",
        discussion: """
            The token is kept in a file that only you can read, under $XDG_CONFIG_HOME/controller (by default
            ~/.config/controller). The first context becomes the current one.

            EXAMPLES
              controller context add production --server https://controller.example:8443
              controller context add staging --server https://10.0.0.7:8443 --ca-file ca.pem --token-file t
            """
    )

    @Argument(help: "A name for it: letters, digits and ._-")
    package var name: String

    @Option(help: ArgumentHelp("Its address: https://controller.example:8443.", valueName: "url"))
    package var server: String

    @Option(help: ArgumentHelp("The authorities to trust, as PEM.", valueName: "path"), completion: .file())
    package var caFile: String?

    @Option(help: ArgumentHelp("A file with the token, which stays there.", valueName: "path"), completion: .file())
    package var tokenFile: String?

    package init() {}

    package func validate() throws {
        guard ContextFile.isName(self.name) else {
            throw ValidationError("\(self.name) is no name: use letters, digits and ._-")
        }
        guard ControllerTarget.RemoteServer.address(self.server) != nil else {
            throw ValidationError("\(self.server) is no address such as https://controller.example:8443.")
        }
    }

    package func run(on console: Console) async throws {
        let file = ContextFile(environment: console.environment)
        var contents = try file.read()
        let absolute = { (path: String) in URL(filePath: path).standardizedFileURL.path }
        if let tokenFile {
            _ = try ContextFile.token(in: tokenFile)
            file.removeToken(of: self.name)
        } else {
            if console.terminal() != nil { console.tell("token (it is not shown):") }
            let token = (console.secret() ?? "").trimmingCharacters(in: .whitespaces)
            guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
                throw CommandFailure(
                    code: .usage,
                    message: "no token came from stdin: paste it, or use --token-file"
                )
            }
            try file.write(token: token, of: self.name)
        }
        contents.contexts[self.name] = ContextFile.Entry(
            server: ControllerTarget.RemoteServer.address(self.server) ?? self.server,
            caFile: self.caFile.map(absolute),
            tokenFile: self.tokenFile.map(absolute)
        )
        if contents.current == nil { contents.current = self.name }
        try file.write(contents)
        let isCurrent = contents.current == self.name
        try console.print(
            StyledText(
                "\(self.name) is \(self.server)"
                    + (isCurrent ? ", and is asked now" : ": ask it with --context \(self.name)")
            )
        )
    }
}

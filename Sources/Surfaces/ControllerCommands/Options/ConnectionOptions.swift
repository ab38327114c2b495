package import ArgumentParser
package import ControllerAPI

/// Which controller is asked.
package struct ConnectionOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The controller's socket. Default: CONTROLLER_SOCKET, or \(ControllerClient.defaultSocket).",
            valueName: "path"
        ),
        completion: .file()
    )
    package var socket: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Another machine's controller, such as https://controller.example:8443. Default: CONTROLLER_SERVER.",
            valueName: "url"
        )
    )
    package var server: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The file with the token for --server. Default: CONTROLLER_TOKEN_FILE, or CONTROLLER_TOKEN holds it.",
            valueName: "path"
        ),
        completion: .file()
    )
    package var tokenFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The authorities to trust for --server, as PEM. Default: CONTROLLER_CA_FILE, or the system's.",
            valueName: "path"
        ),
        completion: .file()
    )
    package var caFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A controller that `controller context add` named. Default: the current one.")
    )
    package var context: String?

    package init() {}

    package func validate() throws {
        if [self.socket, self.server, self.context].compactMap({ $0 }).count > 1 {
            throw ValidationError("--socket, --server and --context each name a controller: leave all but one out.")
        }
        if self.server == nil, self.tokenFile != nil || self.caFile != nil {
            throw ValidationError("--token-file and --ca-file go with --server.")
        }
    }

    /// - Throws: A `CommandFailure` when what names the controller, or the token, is of no use.
    package func client(_ console: Console) throws -> ControllerClient {
        console.connect(try self.target(console.environment))
    }

    /// A flag goes before a variable, and that before the current context.
    package func target(_ environment: [String: String]) throws(CommandFailure) -> ControllerTarget {
        func variable(_ name: String) -> String? {
            let value = environment[name, default: ""]
            return value.isEmpty ? nil : value
        }
        if let socket = self.socket { return .socket(socket) }
        if let server = self.server {
            return try self.remote(server, environment, tokenFile: self.tokenFile, caFile: self.caFile)
        }
        let file = ContextFile(environment: environment)
        if let context = self.context { return try Self.target(of: context, in: file) }
        if let socket = variable("CONTROLLER_SOCKET") { return .socket(socket) }
        if let server = variable("CONTROLLER_SERVER") {
            return try self.remote(server, environment, tokenFile: nil, caFile: nil)
        }
        guard let current = try file.read().current else { return .socket(ControllerClient.defaultSocket) }
        return try Self.target(of: current, in: file)
    }

    private static func target(of name: String, in file: ContextFile) throws(CommandFailure) -> ControllerTarget {
        let contexts = try file.read().contexts
        guard let entry = contexts[name] else {
            let known = contexts.keys.sorted().joined(separator: ", ")
            throw CommandFailure(
                code: .usage,
                message: "there is no context \(name): "
                    + (known.isEmpty ? "add one with `controller context add`" : "there are \(known)")
            )
        }
        return .server(
            ControllerTarget.RemoteServer(
                url: entry.server,
                token: try ContextFile.token(in: entry.tokenFile ?? file.tokenPath(of: name)),
                caFile: entry.caFile
            )
        )
    }

    private func remote(
        _ server: String,
        _ environment: [String: String],
        tokenFile: String?,
        caFile: String?
    ) throws(CommandFailure) -> ControllerTarget {
        guard let url = ControllerTarget.RemoteServer.address(server) else {
            throw CommandFailure(
                code: .usage,
                message: "\(server) is no controller's address: write one such as https://controller.example:8443; "
                    + "plain http, over which a token could be read, is for this machine only"
            )
        }
        let path = tokenFile ?? environment["CONTROLLER_TOKEN_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        let token =
            try path.map { path throws(CommandFailure) in try ContextFile.token(in: path) }
            ?? environment["CONTROLLER_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        let authorities = caFile ?? environment["CONTROLLER_CA_FILE"].flatMap { $0.isEmpty ? nil : $0 }
        return .server(ControllerTarget.RemoteServer(url: url, token: token, caFile: authorities))
    }
}

package import ArgumentParser
package import ControllerAPI

/// Where the controller is.
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

    package init() {}

    package func client(_ console: Console) -> ControllerClient {
        let fromEnvironment = console.environment["CONTROLLER_SOCKET", default: ""]
        let named = self.socket ?? (fromEnvironment.isEmpty ? nil : fromEnvironment)
        return console.connect(named ?? ControllerClient.defaultSocket)
    }
}

import ArgumentParser
import ControllerAPI
import ControllerCommands
import ControllerServer
import Logging
import ServiceLifecycle
import Transport
import UnixSignals

struct OpenCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Show the controller's page in a browser of this machine.",
        discussion: """
            It prints an address, which works once and only in one browser, and forwards what that asks to the socket,
            in your name, until Ctrl-C. Other users of this machine get nothing. From another machine, forward the port:
            ssh -t -L 8080:127.0.0.1:8080 HOST controller open --port 8080

            EXAMPLES
              controller open
              controller open --port 8080
            """
    )

    @Option(help: ArgumentHelp("The port of 127.0.0.1. Default: one that is free.", valueName: "number"))
    var port: Int = 0

    @OptionGroup
    var connection: ConnectionOptions

    func run(on console: Console) async throws {
        guard (0...65_535).contains(self.port) else {
            throw CommandFailure(code: .usage, message: "--port must be from 0 to 65535")
        }
        guard case .socket(let socket) = try self.connection.target(console.environment) else {
            throw CommandFailure(code: .usage, message: "open the server's own address in a browser and log in there")
        }
        do {
            // Says at once when there is nobody to ask.
            _ = try await self.connection.client(console).fleet()
        } catch let error as ControllerClientError {
            throw CommandFailure(error)
        }
        let client = HTTPClient()
        defer { client.close() }
        var logger = Logger(label: "controller") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let forwarder = PageForwarder(
            port: self.port,
            logger: logger,
            whenListening: { address in
                console.tell(StyledText("Open this, once. Ctrl-C ends it."))
                // A terminal that is gone ends the command soon by itself.
                try? console.print(StyledText(address))
            },
            ask: { try await Self.ask($0, client, socket) }
        )
        let group = ServiceGroup(
            services: [Forwarding(forwarder: forwarder)],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        do {
            try await group.run()
        } catch let error as ControllerServerError {
            throw CommandFailure(code: .refused, message: error.message)
        }
    }

    private struct Forwarding: Service {
        let forwarder: PageForwarder

        func run() async throws { try await self.forwarder.run() }
    }

    private static func ask(_ question: PageForwarder.Question, _ client: HTTPClient, _ socket: String) async throws
        -> PageForwarder.Answer
    {
        var request = HTTPRequest(
            method: question.method,
            url: "http://controller\(question.path)",
            body: question.body.isEmpty ? nil : question.body,
            unixSocket: socket
        )
        for (name, value) in question.headers { request.headers.add(name: name, value: value) }
        let response = try await client.send(request)
        let headers = Dictionary(
            response.headers.fields.map { ($0.name.lowercased(), $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
        return PageForwarder.Answer(status: response.status, headers: headers, body: response.body)
    }
}

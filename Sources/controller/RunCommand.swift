import ArgumentParser
import ControllerCommands
import ControllerServer
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the controller: watch, roll out, judge, roll back.",
        discussion: """
            A flag goes before its variable (CONTROLLER_STATE_DIRECTORY, CONTROLLER_SOCKET, CONTROLLER_LOG_LEVEL,
            CONTROLLER_POLL, CONTROLLER_RUNTIMES, CONTROLLER_ENVOY, CONTROLLER_LISTEN, CONTROLLER_PORTS), and that
            before the file. SIGTERM and SIGINT end the controller; replicas and router go on, and are found again at
            the next start. A changed file is taken over within seconds, or on SIGHUP; one with problems is refused.

            EXAMPLES
              controller run
              controller run --config ./controller.yaml --log-level debug
              controller run --config ./controller.yaml --check
            """
    )

    @Option(name: .long, help: "The configuration file.")
    var config: String = Configuration.defaultPath

    @Option(name: .long, help: "Where everything is kept that must survive a restart; an absolute path.")
    var stateDirectory: String?

    @Option(name: .long, help: "The unix socket of the API; an absolute path.")
    var socket: String?

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Option(name: .long, help: "How often to look and judge, such as 1s.")
    var poll: String?

    @Option(name: .long, help: "A folder with shipped serving runtimes; may be repeated.")
    var runtimes: [String] = []

    @Option(name: .long, help: "The Envoy program.")
    var envoy: String?

    @Option(name: .long, help: "Where the router takes requests, such as 127.0.0.1:8080.")
    var listen: String?

    @Option(name: .long, help: "The ports for replicas, such as 19000-19999.")
    var ports: String?

    @Flag(name: .long, help: "Only check the configuration, and that the programs it needs are there.")
    var check = false

    func run() async throws {
        var overrides = ConfigurationOverrides()
        overrides.stateDirectory = self.stateDirectory
        overrides.socket = self.socket
        overrides.logLevel = self.logLevel
        overrides.poll = self.poll
        overrides.runtimes = self.runtimes.isEmpty ? nil : self.runtimes
        overrides.envoy = self.envoy
        overrides.listen = self.listen
        overrides.ports = self.ports
        do {
            let environment = ProcessInfo.processInfo.environment
            let notices = NotifySocket.take(from: environment)
            let reading = ConfigurationReading(path: self.config, environment: environment, overrides: overrides)
            let edition = try reading.edition()
            let configuration = edition.configuration
            for warning in configuration.warnings { Self.tell("\(warning)") }
            let unreadable = configuration.unreadableKeyFiles(path: self.config)
            for problem in unreadable { Self.tell("\(problem)") }
            if self.check {
                let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
                let missing = configuration.missingPrograms(in: path)
                for problem in missing { Self.tell(problem) }
                guard unreadable.isEmpty, missing.isEmpty else { throw ExitCode(2) }
                print("\(self.config): no problems")
                return
            }
            LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
            try await Self.run(
                Generations(
                    ledger: ConfigurationLedger(file: self.config, edition),
                    reading: reading,
                    notices: notices
                ),
                on: configuration.stateDirectory
            )
        } catch let error as ConfigurationError {
            Self.tell("\(error)")
            throw ExitCode(2)
        } catch let error as ExitCode {
            throw error
        } catch {
            Self.tell("error: \(error)")
            throw ExitCode(1)
        }
    }

    private static func run(_ generations: Generations, on state: String) async throws {
        try FileManager.default.createDirectory(
            atPath: state,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        // Held until the last service has ended.
        let lock = try StateLock(directory: state)
        defer { withExtendedLifetime(lock) {} }
        let group = ServiceGroup(
            services: [generations],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Generations.logger(for: generations.ledger.current.configuration)
        )
        try await group.run()
    }

    private static func tell(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}

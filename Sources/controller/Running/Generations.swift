import ControllerCommands
import ControllerServer
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The daemon with one configuration after the other, in one process, until a signal ends it.
///
/// Replicas and the router outlive all that ends in between, as at a restart: they serve on, and are taken over.
struct Generations: Service {
    let ledger: ConfigurationLedger
    let reading: ConfigurationReading
    let notices: NotifySocket?

    func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for await _ in hangups { self.ledger.ask() }
                }
                try await self.runAll()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.notices?.sendStopping()
        }
    }

    private func runAll() async throws {
        // What to go back to when the newest does not start.
        var sound: ConfigurationLedger.Edition?
        while !Task.isShuttingDownGracefully {
            let edition = self.ledger.current
            self.ledger.note(isReady: false)
            let logger = Self.logger(for: edition.configuration)
            let daemon = Daemon(
                configuration: edition.configuration,
                ledger: self.ledger,
                notices: self.notices,
                logger: logger
            )
            let follower = ConfigurationFollower(ledger: self.ledger, reading: self.reading, logger: logger)
            do {
                guard try await daemon.run(until: follower) else { return }
                sound = edition
                self.notices?.sendReloading()
            } catch {
                guard let before = sound, !self.ledger.isReady, !Task.isShuttingDownGracefully else { throw error }
                logger.error(
                    "the controller does not start with the new configuration; the one before goes on",
                    metadata: ["error": "\(error)"]
                )
                self.ledger.take(before)
                self.ledger.refuse(edition.bytes, because: ["it does not start: \(error)"])
                sound = nil
            }
        }
    }

    static func logger(for configuration: Configuration) -> Logger {
        var logger = Logger(label: "controller")
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        return logger
    }
}

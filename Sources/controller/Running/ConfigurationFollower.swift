import ControllerCommands
import Deployments
import Foundation
import Logging
import ServiceLifecycle

/// Looks at the configuration file, now and then and when asked by a signal, and ends when a good new one is there.
///
/// A bad one is refused as a whole: what was in effect goes on, and the problems are logged and shown.
struct ConfigurationFollower: Service {
    let ledger: ConfigurationLedger
    let reading: ConfigurationReading
    let logger: Logger

    /// A signal is seen within this time.
    private static let pace = Duration.milliseconds(250)
    /// Between two looks at the file that nobody asked for, in paces.
    private static let looks = 8

    func run() async {
        await cancelWhenGracefulShutdown {
            // What was seen at the last look. A file is taken once it is the same twice: editors write in parts.
            var seen: [UInt8]?
            var pace = 0
            while true {
                do { try await Task.sleep(for: Self.pace) } catch { return }
                let isAsked = self.ledger.takeQuestion()
                pace += 1
                guard isAsked || pace.isMultiple(of: Self.looks) else { continue }
                guard let bytes = self.read(isAsked: isAsked) else { continue }
                defer { seen = bytes }
                if isAsked || (seen == bytes && !self.ledger.isKnown(bytes)) {
                    if self.take(bytes, isAsked: isAsked) { return }
                }
            }
        }
    }

    private func read(isAsked: Bool) -> [UInt8]? {
        do throws(ConfigurationError) {
            return try self.reading.bytes()
        } catch {
            // Editors that replace the file leave none for a moment; whoever asks wants to know.
            if isAsked { self.refuse(nil, because: error.lines) }
            return nil
        }
    }

    /// - Returns: Whether it is to be started with.
    private func take(_ bytes: [UInt8], isAsked: Bool) -> Bool {
        let current = self.ledger.current
        let next: Configuration
        do throws(ConfigurationError) {
            next = try self.reading.configuration(of: bytes)
        } catch {
            self.refuse(bytes, because: error.lines)
            return false
        }
        let problems = ReloadChecks(current: current.configuration, next: next, path: self.reading.path).problems()
        guard problems.isEmpty else {
            self.refuse(bytes, because: problems)
            return false
        }
        // Positions in the file are part of it, for messages: then a comment may start it anew, which harms nobody.
        let isSame = next == current.configuration
        self.ledger.take(ConfigurationLedger.Edition(configuration: next, bytes: bytes))
        guard isAsked || !isSame else {
            self.logger.info("configuration file changed, and says the same")
            return false
        }
        for warning in next.warnings {
            self.logger.warning("configuration", metadata: ["warning": "\(warning)"])
        }
        self.logger.notice("configuration is taken over", metadata: ["configuration.file": "\(self.reading.path)"])
        return true
    }

    private func refuse(_ bytes: [UInt8]?, because problems: [String]) {
        self.ledger.refuse(bytes, because: problems)
        self.logger.error(
            "configuration refused; the one before goes on",
            metadata: ["problems": "\(problems.joined(separator: "; "))"]
        )
    }
}

/// How the configuration is read at every look: with the same variables and flags as at the start.
struct ConfigurationReading: Sendable {
    let path: String
    let environment: [String: String]
    let overrides: ConfigurationOverrides

    func bytes() throws(ConfigurationError) -> [UInt8] {
        try Configuration.read(path: self.path)
    }

    func configuration(of bytes: [UInt8]) throws(ConfigurationError) -> Configuration {
        try Configuration(
            reading: bytes,
            path: self.path,
            environment: self.environment,
            overrides: self.overrides
        )
    }

    func edition() throws(ConfigurationError) -> ConfigurationLedger.Edition {
        let bytes = try self.bytes()
        return ConfigurationLedger.Edition(configuration: try self.configuration(of: bytes), bytes: bytes)
    }
}

extension ConfigurationError {
    fileprivate var lines: [String] { self.diagnostics.map(Self.line) }
}

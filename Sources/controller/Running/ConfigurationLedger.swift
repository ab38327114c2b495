import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization

/// The configuration in effect, what was refused since, and whether somebody asked for another look at the file.
final class ConfigurationLedger: Sendable {
    /// A configuration, and the text that it was read from.
    struct Edition: Sendable {
        var configuration: Configuration
        var bytes: [UInt8]
    }

    private struct State {
        var current: Edition
        var since: Date
        /// The text that was refused, so that it is refused once.
        var refused: [UInt8]?
        var problems: [String] = []
        var isAsked = false
        var isReady = false
    }

    let file: String
    private let state: Mutex<State>

    init(file: String, _ edition: Edition) {
        self.file = file
        self.state = Mutex(State(current: edition, since: Date()))
    }

    var status: ConfigurationStatus {
        self.state.withLock { ConfigurationStatus(file: self.file, since: $0.since, problems: $0.problems) }
    }

    var current: Edition { self.state.withLock { $0.current } }

    /// The text that needs no other look: it is in effect, or was refused.
    func isKnown(_ bytes: [UInt8]) -> Bool {
        self.state.withLock { $0.refused == bytes || ($0.current.bytes == bytes && $0.problems.isEmpty) }
    }

    func take(_ edition: Edition) {
        self.state.withLock { state in
            let isOther = state.current.configuration != edition.configuration
            state.current = edition
            if isOther { state.since = Date() }
            state.refused = nil
            state.problems = []
        }
    }

    func refuse(_ bytes: [UInt8]?, because problems: [String]) {
        self.state.withLock { state in
            state.refused = bytes
            state.problems = problems
        }
    }

    // MARK: - SIGHUP

    func ask() {
        self.state.withLock { $0.isAsked = true }
    }

    /// - Returns: Whether somebody asked since the last call.
    func takeQuestion() -> Bool {
        self.state.withLock { state in
            defer { state.isAsked = false }
            return state.isAsked
        }
    }

    // MARK: - Whether it works

    /// Whether the configuration in effect has been seen to work: its sockets could be had, its router answered.
    var isReady: Bool { self.state.withLock { $0.isReady } }

    func note(isReady: Bool) {
        self.state.withLock { $0.isReady = isReady }
    }
}

import Deployments
package import Logging
package import Reconciliation
import Rollouts
import ServiceLifecycle

/// Tells a service manager when the controller is ready, what it does, and that its loop turns.
///
/// A sign of life is sent only when the reconcile loop has finished a turn since the last one. So a loop that is stuck
/// is restarted, and one that waits for nobody while git does not answer is not: its looks at the router go on.
package struct ServiceNotices: Service {
    private let socket: NotifySocket?
    private let fleet: @Sendable () -> FleetSnapshot
    private let turns: @Sendable () -> Int
    private let isServed: @Sendable () async -> Bool
    private let whenReady: @Sendable () -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - socket: Nothing where nobody wants to hear.
    ///   - fleet: The newest snapshot.
    ///   - turns: How many events the loop has handled.
    ///   - isServed: Whether the API answers.
    ///   - whenReady: Is called once.
    ///   - logger: Gets that it is ready.
    package init(
        socket: NotifySocket?,
        fleet: @escaping @Sendable () -> FleetSnapshot,
        turns: @escaping @Sendable () -> Int,
        isServed: @escaping @Sendable () async -> Bool,
        whenReady: @escaping @Sendable () -> Void = {},
        logger: Logger
    ) {
        self.socket = socket
        self.fleet = fleet
        self.turns = turns
        self.isServed = isServed
        self.whenReady = whenReady
        self.logger = logger
    }

    /// People look at the status now and then; the loop turns about once a second.
    private static let pace = Duration.seconds(1)
    private static let shortPace = Duration.milliseconds(50)
    /// Of the watchdog's time, so that one that is lost or late costs nothing.
    private static let shareOfWatchdog = 4

    package func run() async {
        await cancelWhenGracefulShutdown {
            do {
                try await self.waitUntilReady()
                try await self.tell()
            } catch {
                // Cancelled: that is the end.
            }
        }
    }

    /// - Throws: When the task is cancelled.
    private func waitUntilReady() async throws {
        while !self.fleet().hasLooked { try await Task.sleep(for: Self.shortPace) }
        while await !self.isServed() { try await Task.sleep(for: Self.shortPace) }
        self.logger.notice("controller is ready")
        self.whenReady()
    }

    /// - Throws: When the task is cancelled.
    private func tell() async throws {
        guard let socket = self.socket else {
            // The group must not take the end of one of its services for its own.
            while true { try await Task.sleep(for: .seconds(3600)) }
        }
        let pace = min(Self.pace, (socket.watchdog ?? Self.pace) / Self.shareOfWatchdog)
        var isToldReady = false
        var turns = -1
        var status = ""
        while true {
            var lines: [String] = []
            if !isToldReady { lines.append("READY=1") }
            let now = (turns: self.turns(), status: Self.status(of: self.fleet()))
            if now.turns != turns, socket.watchdog != nil { lines.append("WATCHDOG=1") }
            if now.status != status { lines.append("STATUS=\(now.status)") }
            if !lines.isEmpty, socket.send(lines) {
                isToldReady = true
                (turns, status) = now
            }
            try await Task.sleep(for: pace)
        }
    }

    /// One line: what it has, what moves and what is wrong.
    static func status(of fleet: FleetSnapshot) -> String {
        let moving = fleet.deployments.filter { $0.value.rollout.phase != .settled }.keys.sorted()
        var parts = [fleet.deployments.count == 1 ? "1 deployment" : "\(fleet.deployments.count) deployments"]
        if let first = moving.first {
            parts.append("rolling out \(first)" + (moving.count > 1 ? " and \(moving.count - 1) more" : ""))
        }
        parts += [fleet.journalProblem, fleet.platformProblem, fleet.routerProblem].compactMap(\.self)
        parts += fleet.sources.compactMap { source in source.problem.map { "git \(source.repository): \($0)" } }
        let line = parts.joined(separator: "; ").split(whereSeparator: \.isNewline).joined(separator: " ")
        // What programs answered may be long, and the whole is a datagram.
        return line.count <= 300 ? line : "\(line.prefix(299))…"
    }
}

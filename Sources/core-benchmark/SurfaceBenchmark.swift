import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Glibc
import Logging
import Manifests
import Reconciliation
import Rollouts
import ServiceLifecycle
import Synchronization

/// `core-benchmark surface DEPLOYMENTS ROLLOUTS SOCKET`: the real reconcile loop over a world in memory, and the real
/// API server on a socket.
///
/// It prints `ready` when all is served and every stable revision has its half hour of history, after some minutes. For
/// each line of standard input it prints how long the loop has been busy since it began, in seconds, how many turns
/// that were, and the resident memory in MiB. It ends with standard input.
struct SurfaceBenchmark {
    let deployments: Int
    let rollouts: Int
    let socket: String

    /// How fast the world's time runs.
    private final class Pace: Sendable {
        let factor = Mutex(1)
    }

    private static let poll = Duration.seconds(1)
    /// As many as a history has pieces, and some.
    private static let looks = 190

    func run() async throws {
        var fleet = BenchmarkFleet(deployments: self.deployments, rollouts: self.rollouts)
        guard try await fleet.prepare() == self.rollouts else {
            print("error: not all rollouts are being judged: nothing to measure")
            exit(2)
        }
        let reconciler = Reconciler(
            ports: fleet.goOn(),
            settings: Reconciler.Settings(poll: Self.poll, reader: ManifestReader()),
            logger: Self.silent
        )
        let world = fleet.world
        let pace = Pace()
        let group = ServiceGroup(
            services: [reconciler, self.server(reconciler, world)],
            logger: Self.silent
        )
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            // The world's time is the machine's from here on.
            tasks.addTask {
                let step = Duration.milliseconds(100)
                while !Task.isCancelled {
                    try await Task.sleep(for: step)
                    world.advance(by: step * pace.factor.withLock { $0 })
                }
            }
            try await self.wait(for: reconciler)
            // Half an hour of histories, as a controller has that has run for long: twelve seconds a look.
            pace.factor.withLock { $0 = 12 }
            try await Task.sleep(for: Self.poll * Self.looks)
            pace.factor.withLock { $0 = 1 }
            Self.tell("ready")
            for try await _ in Self.lines() {
                let activity = reconciler.current.activity
                let turns = activity.turns.reduce(0, +)
                Self.tell("\(activity.busy / .seconds(1)) \(turns) \(Main.residentMebibytes)")
            }
            await group.triggerGracefulShutdown()
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    private func server(_ reconciler: Reconciler, _ world: MemoryWorld) -> APIServer {
        let views = NewestView()
        return APIServer(
            socket: self.socket,
            fleet: { FleetStatus(reconciler.current) },
            view: { views.view(of: reconciler.current, deliveries: nil) },
            history: { _, _ in [] },
            events: { after, namespace, limit in
                world.events(after: after, in: namespace, limit: limit).map { number, event in
                    var status = EventStatus(event.transition, of: event.deployment)
                    status.id = number
                    return status
                }
            },
            chapter: { _, _ in nil },
            feedback: { _, labels in FeedbackAnswer(counted: labels.count) },
            command: { id, request in
                let verb: Command.Verb = request.verb == .pause ? .pause(until: nil) : .resume
                let answer = await reconciler.submit(Command(verb, by: request.by, why: request.why), for: id)
                return OperatorAnswer(accepted: answer.isAccepted, changed: answer.isChanged, message: answer.message)
            },
            logger: Self.silent
        )
    }

    private func wait(for reconciler: Reconciler) async throws {
        while reconciler.current.deployments.count < self.deployments || access(self.socket, F_OK) != 0 {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// On a thread of its own, as a line may be long in coming.
    private static func lines() -> AsyncThrowingStream<Void, any Error> {
        let (lines, line) = AsyncThrowingStream.makeStream(of: Void.self, throwing: (any Error).self)
        let thread = Thread {
            while readLine() != nil { line.yield() }
            line.finish()
        }
        thread.start()
        return lines
    }

    /// Without the C library's buffers: flushing all of them waits for who reads a line from one.
    private static func tell(_ text: String) {
        FileHandle.standardOutput.write(Data("\(text)\n".utf8))
    }

    private static var silent: Logger { Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() } }
}

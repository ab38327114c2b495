import Deployments
import Glibc
import Logging
import Manifests
import Reconciliation
import Rollouts

/// A fleet in which nothing is real but the fleet: many settled deployments, and some with a rollout in flight.
struct BenchmarkFleet {
    let world = MemoryWorld()
    private let ports: Reconciler.Ports
    private var fleet: Fleet
    let deployments: Int
    let rollouts: Int

    init(deployments: Int, rollouts: Int) {
        self.deployments = deployments
        self.rollouts = rollouts
        let world = self.world
        let ports = Reconciler.Ports(
            sources: [
                Reconciler.Source(
                    port: MemorySource(),
                    branch: "main",
                    interval: .seconds(30),
                    deletion: DesiredStateTracker.Policy(),
                    writesNotes: false
                )
            ],
            platform: world,
            router: world,
            artifacts: world,
            providers: [],
            journal: world,
            platformChanges: AsyncStream { $0.finish() },
            now: { world.now }
        )
        self.ports = ports
        self.fleet = Fleet(
            ports: ports,
            logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() },
            contents: JournalContents()
        )
    }

    /// Brings every deployment to its stable revision, and then `rollouts` of them into their first step.
    ///
    /// - Returns: How many rollouts are being judged.
    mutating func prepare() async throws -> Int {
        await self.commit(1) { _ in 1 }
        // So long that every stable revision has its half hour of history.
        for _ in 0..<190 { _ = try await self.tick(.seconds(10)) }
        let rollouts = self.rollouts
        await self.commit(2) { $0 < rollouts ? 2 : 1 }
        for _ in 0..<8 { _ = try await self.tick() }
        return self.fleet.snapshot.deployments.values.count {
            if case .stepping(_, .some) = $0.rollout.phase { true } else { false }
        }
    }

    private mutating func commit(_ number: Int, version: (Int) -> Int) async {
        let origin = CommitReference(
            repository: "models",
            branch: "main",
            commit: String(repeating: "\(number)", count: 40),
            path: "models.yaml"
        )
        var state = DesiredState()
        state.deployments = (0..<self.deployments).map { Self.spec($0, version: version($0), origin) }
        await self.fleet.handle(.polled("models", .success(DesiredCommit(origin: origin, state: state))))
    }

    private static func spec(_ number: Int, version: Int, _ origin: CommitReference) -> DeploymentSpec {
        let digest = String(number * 16 + version, radix: 16)
        return DeploymentSpec(
            id: DeploymentID(namespace: "team-\(number % 50)", name: "model-\(number)"),
            revision: Revision(digest: digest + String(repeating: "0", count: 64 - digest.count)),
            origin: origin,
            model: Model(name: "model", version: "\(version)", format: "onnx", uri: "file:///models/\(digest)"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"]),
            replicas: 2,
            route: Route(pathPrefix: "/\(number)"),
            objectives: [Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(720))],
            // The steps last for as long as is measured.
            rollout: RolloutPolicy(steps: [Step(action: .weight(TrafficWeight(percent: 50)), atLeast: .hours(1))])
        )
    }

    /// A time of the world, and one look at all of it.
    ///
    /// - Returns: The processor time that the fleet took: to take the look in, decide, check the plans and act through
    ///   ports that do nothing. One task does all of it, so that is time on one core, whatever else the machine does.
    mutating func tick(_ interval: Duration = .seconds(1)) async throws -> Duration {
        self.world.advance(by: interval)
        let replicas = try await self.world.replicas()
        let observation = try await self.world.observe()
        let now = self.world.now
        let start = Self.processorTime
        await self.fleet.handle(.platform(.success(replicas), at: now))
        await self.fleet.handle(.router(.success(observation), at: now))
        _ = self.fleet.takeErrands()
        return Self.processorTime - start
    }

    var snapshot: FleetSnapshot { self.fleet.snapshot }

    /// - Returns: The ports of the same world, whose journal says what was decided so far.
    func goOn() -> Reconciler.Ports {
        self.world.remember(JournalContents(members: self.fleet.members))
        return self.ports
    }

    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

import Deployments
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// A repository that is polled once an hour, and told to be polled now.
@Suite("Waking", .timeLimit(.minutes(5)))
struct WakingTests {
    private static func run(
        _ world: InMemoryWorld,
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        try await ReconcilerTests.run(world, interval: .hours(1)) { reconciler in
            try await Self.wait { world.polls == 1 && reconciler.current.sources.first?.lastPolled != nil }
            try await body(reconciler)
        }
    }

    private static func wait(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test
    func `a wake brings the commit that the next poll would have found in an hour`() async throws {
        let world = InMemoryWorld()
        try await Self.run(world) { reconciler in
            ReconcilerTests.push("1", to: world)
            #expect(reconciler.wake(repository: "models"))
            try await ReconcilerTests.wait(reconciler) { $0.desired?.model.version == "1" }
        }
        #expect(world.polls == 2)
    }

    @Test
    func `a wake while a poll runs asks for another, as that one may have looked before the push`() async throws {
        let world = InMemoryWorld()
        try await Self.run(world) { reconciler in
            world.state.withLock { state in
                state.inPoll = {
                    ReconcilerTests.push("1", to: world)
                    #expect(reconciler.wake(repository: "models"))
                    #expect(!reconciler.wake(repository: "models"))
                }
            }
            reconciler.wake(repository: "models")
            try await ReconcilerTests.wait(reconciler) { $0.desired?.model.version == "1" }
        }
        #expect(world.polls == 3)
    }

    @Test
    func `a hundred wakes at once are one poll, and a storm of them a poll every two seconds`() async throws {
        let world = InMemoryWorld()
        let clock = ContinuousClock()
        try await Self.run(world) { reconciler in
            let start = clock.now
            let news = (0..<100).count { _ in reconciler.wake(repository: "models") }
            // All but one poll may have begun among them.
            #expect(news < 5)
            while world.polls < 6 {
                reconciler.wake(repository: "models")
                try await Task.sleep(for: .milliseconds(1))
            }
            // The first, three at once, and two that had to wait for it.
            #expect(clock.now - start >= PollPace.wakeInterval * 2)
        }
    }

    @Test
    func `a push told of while git does not answer is found soon after it does`() async throws {
        let world = InMemoryWorld()
        try await Self.run(world) { reconciler in
            ReconcilerTests.push("1", to: world)
            world.state.withLock { $0.failingPolls = 1 }
            reconciler.wake(repository: "models")
            // The one after the failure is not waited for an hour.
            try await ReconcilerTests.wait(reconciler) { $0.desired?.model.version == "1" }
        }
        #expect(world.polls == 3)
    }

    @Test
    func `nobody wakes what is not watched`() {
        let reconciler = ReconcilerTests.reconciler(on: InMemoryWorld())
        #expect(!reconciler.wake(repository: "elsewhere"))
        #expect(reconciler.wake(repository: "models"))
    }

    // MARK: - The pace

    @Test
    func `without wakes a repository is left alone for its interval, and longer while it fails`() {
        var pace = PollPace(interval: .seconds(30))
        #expect(pace.wait(after: .news, isWoken: false) == .seconds(30))
        #expect(pace.wait(after: .nothing, isWoken: false) == .seconds(30))
        let failing = (0..<6).map { _ in pace.wait(after: .failure, isWoken: false) }
        #expect(failing == [.seconds(60), .seconds(120), .seconds(240), .minutes(5), .minutes(5), .minutes(5)])
        #expect(pace.wait(after: .nothing, isWoken: false) == .seconds(30))
    }

    @Test
    func `a wake that found nothing new is followed by one more look`() {
        var pace = PollPace(interval: .hours(1))
        #expect(pace.wait(after: .nothing, isWoken: true) == PollPace.secondLook)
        #expect(pace.wait(after: .nothing, isWoken: false) == .hours(1))
        #expect(pace.wait(after: .news, isWoken: true) == .hours(1))
        var quick = PollPace(interval: .seconds(1))
        #expect(quick.wait(after: .nothing, isWoken: true) == .seconds(1))
    }

    @Test
    func `a wake that git did not answer is tried again more and more seldom, until it does`() {
        var pace = PollPace(interval: .hours(1))
        #expect(pace.wait(after: .failure, isWoken: true) == .seconds(10))
        #expect(pace.wait(after: .failure, isWoken: false) == .seconds(20))
        #expect(pace.wait(after: .failure, isWoken: false) == .seconds(40))
        // A storm does not make it be asked less often.
        for _ in 0..<100 { #expect(pace.wait(after: .failure, isWoken: true) == .seconds(40)) }
        for _ in 0..<10 { #expect(pace.wait(after: .failure, isWoken: false) <= .seconds(320)) }
        #expect(pace.wait(after: .nothing, isWoken: false) == .hours(1))
        #expect(pace.wait(after: .failure, isWoken: false) == .hours(1))
    }

    @Test
    func `wakes that come all the time cost three polls and one every two seconds`() {
        var pace = PollPace(interval: .hours(1))
        var now = ContinuousClock.now
        let start = now
        var polls: [Duration] = []
        while start.duration(to: now) < .seconds(60) {
            now += pace.delay(ofWakeAt: now)
            polls.append(start.duration(to: now))
            now += .milliseconds(10)
        }
        #expect(polls.prefix(3).allSatisfy { $0 < .milliseconds(30) })
        #expect(polls.count <= 33)
        // After a rest the first three are free again.
        now += .seconds(10)
        for _ in 0..<3 { #expect(pace.delay(ofWakeAt: now) == .zero) }
        #expect(pace.delay(ofWakeAt: now) == PollPace.wakeInterval)
    }
}

extension InMemoryWorld {
    fileprivate var polls: Int { self.state.withLock { $0.polls } }
}

import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

@Suite("Models that follow an alias", .timeLimit(.minutes(5)))
struct ModelUpdateTests {
    private static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// A registry and a git server in memory.
    final class Registry: ModelVersions, ModelPromoter {
        struct State {
            var result: Result<RegisteredModel, ModelVersionsError> = .success(Magika.registered(7))
            var asked: [String] = []
            var isSilent = false
            var promotions: [ModelPromotion] = []
            var failures = 0
            var text: String?
        }

        let state = Mutex(State())

        func version(_ reference: ModelReference) async throws(ModelVersionsError) -> RegisteredModel {
            let (result, isSilent) = self.state.withLock { state in
                state.asked.append(reference.description)
                return (state.result, state.isSilent)
            }
            // Until the test ends.
            if isSilent { try? await Task.sleep(for: .hours(1)) }
            return try result.get()
        }

        func promote(
            _ promotion: ModelPromotion,
            of deployment: DeploymentID,
            isRehearsal: Bool
        ) async throws(SourceError) -> PromotionResult {
            let (fails, text) = self.state.withLock { state in
                if state.failures > 0 {
                    state.failures -= 1
                    return (true, state.text)
                }
                if !isRehearsal { state.promotions.append(promotion) }
                return (false, state.text)
            }
            if fails { throw SourceError(code: .refused, message: "no robots", recovery: .retry) }
            if let text { return .nothing(text) }
            return PromotionResult(
                text: "branch b names \(promotion.label)",
                branch: "b",
                base: "main",
                isRequested: promotion.mode == .pullRequest,
                diff: "+ it"
            )
        }
    }

    private static func ports(_ world: InMemoryWorld, _ registry: Registry) -> Reconciler.Ports {
        Reconciler.Ports(
            sources: [
                Reconciler.Source(
                    port: world,
                    branch: "main",
                    interval: .milliseconds(20),
                    deletion: .init(),
                    writesNotes: false,
                    promoter: registry
                )
            ],
            platform: world,
            router: world,
            artifacts: world,
            providers: [],
            models: registry,
            journal: world,
            platformChanges: AsyncStream { $0.finish() },
            now: { InMemoryWorld.now() }
        )
    }

    private func fleet(_ world: InMemoryWorld, _ commit: DesiredCommit? = nil) async throws -> Fleet {
        let contents = world.state.withLock { $0.contents }
        var fleet = Fleet(ports: Self.ports(world, Registry()), logger: Self.logger, contents: contents)
        fleet.modelPolicies = [Magika.policy]
        await fleet.handle(.platform(.success([]), at: InMemoryWorld.now()))
        await fleet.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        await fleet.handle(.polled("models", .success(commit ?? Magika.commit())))
        return fleet
    }

    private func see(_ fleet: inout Fleet, _ version: Int) async -> [ModelPromotion] {
        let sighting = ModelSighting(policy: 0, model: "magika", result: .success(Magika.registered(version)))
        await fleet.handle(.modelSeen(sighting))
        return fleet.takeErrands().notes.compactMap(\.promotion)
    }

    private func shown(_ fleet: Fleet) -> String? { fleet.snapshot.deployments[Magika.id]?.modelUpdate?.text }

    @Test
    func `an alias that moves is proposed once, also after a restart, and nothing that runs changes`() async throws {
        let world = InMemoryWorld()
        var fleet = try await self.fleet(world)
        #expect(await self.see(&fleet, 7) == [])
        #expect(self.shown(fleet) == nil)
        _ = fleet.takeErrands()
        let before = fleet.members[Magika.id]?.rollout
        #expect(await self.see(&fleet, 8).map(\.uri) == ["models:/magika/8"])
        #expect(self.shown(fleet) == "magika 8 is being proposed")
        #expect(await self.see(&fleet, 8) == [])
        #expect(fleet.members[Magika.id]?.rollout == before)
        // It was journaled with what is to be delivered, which a restart finds.
        var again = try await self.fleet(world)
        let item = try #require(again.takeErrands().notes.first { $0.promotion != nil })
        #expect(await self.see(&again, 8) == [])
        await again.handle(.promoted(item, PromotionOutcome(text: "branch b", isWritten: true)))
        #expect(self.shown(again) == "branch b")
        #expect(world.state.withLock { $0.contents.outbox.filter { $0.promotion != nil } } == [])
        // And a restart after that shows it still.
        var third = try await self.fleet(world)
        #expect(third.takeErrands().notes.filter { $0.promotion != nil } == [])
        #expect(self.shown(third) == "branch b")
        #expect(await self.see(&third, 8) == [])
        // Merged: git says what the alias does.
        await third.handle(.polled("models", .success(Magika.commit("models:/magika/8", sha: "8"))))
        #expect(self.shown(third) == nil)
        #expect(await self.see(&third, 8) == [])
        // Reverted, with the alias where it was.
        await third.handle(.polled("models", .success(Magika.commit("models:/magika/7", sha: "9"))))
        #expect(await self.see(&third, 8) == [])
        #expect(self.shown(third)?.hasPrefix("magika 8 was in git and was taken out") == true)
        #expect(await self.see(&third, 9).map(\.version) == ["9"])
    }

    @Test
    func `what cannot be journaled is not proposed, and is once it can be`() async throws {
        let world = InMemoryWorld()
        var fleet = try await self.fleet(world)
        _ = fleet.takeErrands()
        world.state.withLock { $0.journalFails = true }
        #expect(await self.see(&fleet, 8) == [])
        #expect(self.shown(fleet)?.contains("the journal cannot be written") == true)
        world.state.withLock { $0.journalFails = false }
        #expect(await self.see(&fleet, 8).count == 1)
    }

    @Test
    func `a manifest that cannot be changed is told, and tried again when it is another`() async throws {
        let world = InMemoryWorld()
        var fleet = try await self.fleet(world)
        let sighting = ModelSighting(policy: 0, model: "magika", result: .success(Magika.registered(8)))
        await fleet.handle(.modelSeen(sighting))
        let item = try #require(fleet.takeErrands().notes.first { $0.promotion != nil })
        await fleet.handle(.promoted(item, PromotionOutcome(text: "it has an anchor", isWritten: false)))
        #expect(await self.see(&fleet, 8) == [])
        #expect(fleet.snapshot.deployments[Magika.id]?.modelUpdate?.isProblem == true)
        #expect(self.shown(fleet) == "it has an anchor")
        await fleet.handle(.polled("models", .success(Magika.commit(sha: "6"))))
        #expect(await self.see(&fleet, 8).count == 1)
    }

    @Test
    func `a registry that does not answer is shown, with since when`() async throws {
        let world = InMemoryWorld()
        var fleet = try await self.fleet(world)
        let error = ModelVersionsError(message: "mlflow does not answer", concernsAll: true)
        for _ in 1...2 {
            await fleet.handle(.modelSeen(ModelSighting(policy: 0, model: "magika", result: .failure(error))))
        }
        let update = try #require(fleet.snapshot.deployments[Magika.id]?.modelUpdate)
        #expect(update.text == "mlflow does not answer" && update.isProblem)
        // Of another policy or model it says nothing.
        await fleet.handle(.modelSeen(ModelSighting(policy: 1, model: "magika", result: .failure(error))))
        await fleet.handle(.modelSeen(ModelSighting(policy: 0, model: "other", result: .failure(error))))
        #expect(await self.see(&fleet, 7) == [])
        #expect(self.shown(fleet) == nil)
    }

    // MARK: - The running engine

    private func run(
        _ world: InMemoryWorld,
        _ registry: Registry,
        policies: [ModelUpdatePolicy] = [Magika.policy],
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        // What git wants is in the journal: a manifest with such a URI is another module's matter.
        var fleet = try await self.fleet(world)
        _ = fleet.takeErrands()
        let reconciler = Reconciler(
            ports: Self.ports(world, registry),
            settings: Reconciler.Settings(poll: .milliseconds(20), reader: ManifestReader(), modelUpdates: policies),
            logger: Self.logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await reconciler.run() }  // cancelled at the end, which it reports as an error
            group.addTask {
                while reconciler.current.deployments[Magika.id]?.rollout.desired == nil {
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await body(reconciler)
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private static func wait(_ reconciler: Reconciler, for text: String) async throws {
        while reconciler.current.deployments[Magika.id]?.modelUpdate?.text != text {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test
    func `the alias is looked at again and again, and a refusing git is told once it takes it`() async throws {
        let (world, registry) = (InMemoryWorld(), Registry())
        registry.state.withLock { $0.failures = 1 }
        try await self.run(world, registry) { reconciler in
            while registry.state.withLock({ $0.asked.count < 3 }) { try await Task.sleep(for: .milliseconds(10)) }
            registry.state.withLock { $0.result = .success(Magika.registered(8)) }
            // It stays there however often the alias is looked at.
            try await Self.wait(reconciler, for: "no robots")
            try await Self.wait(reconciler, for: "branch b names magika 8")
            let count = registry.state.withLock { $0.asked.count }
            while registry.state.withLock({ $0.asked.count < count + 3 }) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(registry.state.withLock { Set($0.asked) } == ["models:/magika@champion"])
        #expect(registry.state.withLock { $0.promotions.map(\.uri) } == ["models:/magika/8"])
    }

    @Test
    func `a registry that never answers delays nothing else`() async throws {
        let (world, registry) = (InMemoryWorld(), Registry())
        registry.state.withLock { $0.isSilent = true }
        try await self.run(world, registry) { reconciler in
            while registry.state.withLock({ $0.asked.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
            while reconciler.current.deployments[Magika.id]?.rollout.phase != .settled
                || reconciler.current.deployments[Magika.id]?.rollout.stable == nil
            {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private static func request(
        _ selector: ModelReference.Selector = .version(8),
        digest: String? = nil,
        mode: ModelPromotion.Mode = .branch,
        isRehearsal: Bool = false
    ) -> Reconciler.PromotionRequest {
        Reconciler.PromotionRequest(
            selector: selector,
            digest: digest,
            mode: mode,
            by: "ada",
            why: "better",
            isRehearsal: isRehearsal
        )
    }

    @Test
    func `an operator's promotion is proposed by their reason, rehearsed first, and again if they ask again`()
        async throws
    {
        let (world, registry) = (InMemoryWorld(), Registry())
        registry.state.withLock { $0.result = .success(Magika.registered(8)) }
        try await self.run(world, registry, policies: []) { reconciler in
            let rehearsal = await reconciler.promote(
                Magika.id,
                as: Self.request(.alias("champion"), isRehearsal: true)
            )
            #expect(rehearsal.answer == .unchanged("branch b names magika 8") && rehearsal.diff == "+ it")
            #expect(registry.state.withLock { $0.promotions } == [])
            for count in 1...2 {
                let answer = await reconciler.promote(Magika.id, as: Self.request(digest: Magika.digest("c")))
                #expect(answer.answer.isChanged, "\(answer)")
                while registry.state.withLock({ $0.promotions.count < count }) {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            try await Self.wait(reconciler, for: "branch b names magika 8")
            let promotion = try #require(registry.state.withLock { $0.promotions.first })
            #expect(promotion.reason == "ada asked for version 8: better" && promotion.digest == Magika.digest("c"))
            // Without a forge there is a branch, and it says so.
            _ = await reconciler.promote(Magika.id, as: Self.request(mode: .pullRequest))
            try await Self.wait(
                reconciler,
                for: "branch b names magika 8; no `forge` of the repository is configured to open a pull request"
            )
        }
    }

    @Test
    func `what an operator cannot have is refused, and says why`() async throws {
        let (world, registry) = (InMemoryWorld(), Registry())
        try await self.run(world, registry, policies: []) { reconciler in
            let refusal = { (id: DeploymentID, request: Reconciler.PromotionRequest) in
                let answer = await reconciler.promote(id, as: request).answer
                #expect(!answer.isAccepted)
                return answer.message
            }
            let unknown = DeploymentID(namespace: "default", name: "nobody")
            #expect(await refusal(unknown, Self.request()) == "git wants no deployment default/nobody")
            registry.state.withLock {
                $0.result = .failure(ModelVersionsError(message: "there is no version 8", concernsAll: false))
            }
            #expect(await refusal(Magika.id, Self.request()) == "there is no version 8")
            registry.state.withLock { $0.result = .success(Magika.registered(8, pending: "not ready yet")) }
            #expect(await refusal(Magika.id, Self.request()).contains("wait until it is ready"))
            registry.state.withLock { $0.result = .success(Magika.registered(8, digest: Magika.digest("d"))) }
            #expect(
                await refusal(Magika.id, Self.request(digest: Magika.digest("c"))).contains("another digest")
            )
            registry.state.withLock { ($0.failures, $0.text) = (1, "nothing") }
            #expect(await refusal(Magika.id, Self.request(isRehearsal: true)) == "no robots")
            let nothing = await reconciler.promote(Magika.id, as: Self.request(isRehearsal: true))
            #expect(nothing.answer == .unchanged("nothing") && nothing.diff == "")
            #expect(registry.state.withLock { $0.promotions } == [])
        }
    }
}

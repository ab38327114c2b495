import Deployments
import Foundation
import Glibc
import Reconciliation
import Testing

@testable import Artifacts

@Suite("The cache's limits", .timeLimit(.minutes(5)))
struct CapacityTests {
    let fixture: StoreFixture

    init() throws {
        self.fixture = try StoreFixture()
    }

    private func source(_ name: String, _ count: Int) throws -> Model {
        let bytes = sampleBytes(count, seed: UInt64(name.utf8.first ?? 0))
        return model("file://\(try self.fixture.write(bytes, to: name))", digest: sha256(bytes))
    }

    private static func isReady(_ state: ArtifactState) -> Bool {
        if case .ready = state { true } else { false }
    }

    @Test
    func `the longest unused artifact goes first, and never one in use`() async throws {
        let (a, b, c, d) = (
            try self.source("a", 400), try self.source("b", 400), try self.source("c", 400), try self.source("d", 400)
        )
        try await self.fixture.withStore({ $0.maxBytes = 1000 }) { store in
            _ = try await store.path(a)
            await store.retain([a])
            _ = try await store.path(b)
            _ = try await store.path(c)
            #expect(Self.isReady(await store.state(of: a)))
            #expect(await store.state(of: b) == .absent)
            #expect(Self.isReady(await store.state(of: c)))
            await store.retain([c])
            _ = try await store.path(d)
            #expect(await store.state(of: a) == .absent)
            #expect(Self.isReady(await store.state(of: c)))
        }
    }

    @Test
    func `what was asked for just now is not evicted before it is retained`() async throws {
        let (a, b, c) = (try self.source("a", 400), try self.source("b", 400), try self.source("c", 400))
        try await self.fixture.withStore({
            $0.maxBytes = 1000
            $0.evictionGrace = .seconds(600)
        }) { store in
            _ = try await store.path(a)
            _ = try await store.path(b)
            let state = try await store.settled(c) { if case .retrying = $0 { true } else { false } }
            guard case .retrying(let message) = state else { throw CancellationError() }
            #expect(message.contains("do not fit beside the 800 bytes of models in use"))
            #expect(message.contains("artifacts.maxSize"))
            #expect(Self.isReady(await store.state(of: a)))
        }
    }

    @Test
    func `one artifact larger than the whole cache fails`() async throws {
        let large = try self.source("a", 1001)
        let message = try await self.fixture.withStore({ $0.maxBytes = 1000 }) { try await $0.failure(large) }
        #expect(message.contains("1001 bytes"))
    }

    @Test
    func `the order of use survives a restart`() async throws {
        let (a, b, c) = (try self.source("a", 400), try self.source("b", 400), try self.source("c", 400))
        try await self.fixture.withStore { store in
            _ = try await store.path(a)
            _ = try await store.path(b)
            await store.retain([a])
        }
        try await self.fixture.withStore({ $0.maxBytes = 1000 }) { store in
            _ = try await store.path(c)
            #expect(await store.state(of: b) == .absent)
            #expect(Self.isReady(await store.state(of: a)))
        }
    }

    @Test
    func `of artifacts used within a step of the file system's clock the first one goes first`() async throws {
        let models = try ["a", "b", "c", "d", "e", "f"].map { try self.source($0, 400) }
        for order in [models, models.reversed()] {
            try await self.fixture.withStore { store in
                for model in order { _ = try await store.path(model) }
                for model in order { await store.retain([model]) }
            }
            try await self.fixture.withStore({ $0.maxBytes = 2400 }) { store in
                _ = try await store.path(try self.source("g", 400))
                #expect(await store.state(of: order[0]) == .absent)
                for model in order[1...] { #expect(Self.isReady(await store.state(of: model))) }
            }
            try await self.fixture.withStore({ $0.maxBytes = 2400 }) { store in
                // Out of the way of the next round, with all that is left.
                _ = try await store.path(try self.source("h", 2400))
            }
        }
    }

    @Test
    func `a full disk is waited for, another fault of it is retried`() {
        errno = ENOSPC
        let full = ArtifactError.system("write", "/x")
        #expect(full.code == .storageFull)
        #expect(full.recovery == .wait(.seconds(30)))
        #expect(full.message.contains("free disk space"))
        errno = EIO
        #expect(ArtifactError.system("write", "/x").recovery == .retry)
    }
}

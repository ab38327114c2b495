import Deployments
import Feedback
import Foundation
import Logging
import Testing

@Suite("What is told of answered requests")
final class FeedbackStoreTests {
    static let deployment = DeploymentID(namespace: "search", name: "file-type")
    static let stable = Revision(digest: String(repeating: "1", count: 64))
    static let canary = Revision(digest: String(repeating: "2", count: 64))
    static let parts: Set<Revision> = [FeedbackStoreTests.stable, FeedbackStoreTests.canary]
    static let split = FeedbackStoreTests.split(5)

    let folder = "/tmp/feedback-\(UUID().uuidString.prefix(8))"

    deinit {
        do {
            try FileManager.default.removeItem(atPath: self.folder)
        } catch {
            Issue.record("the test's folder cannot be removed: \(error)")
        }
    }

    static func split(_ weight: Int) -> TrafficSplit {
        let canary = TrafficWeight(percent: weight)
        return Traffic(weights: [Self.stable: canary.complement, Self.canary: canary]).split
    }

    private func store(at time: Int64 = 1) -> FeedbackStore {
        FeedbackStore(
            directory: "\(self.folder)/feedback",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { Timestamp(milliseconds: time) }
        )
    }

    private static func label(
        _ number: Int,
        _ revision: Revision = FeedbackStoreTests.canary,
        split: TrafficSplit = FeedbackStoreTests.split,
        isCorrect: Bool? = true,
        value: Double? = nil
    ) throws -> FeedbackStore.Label {
        let id = try #require(FeedbackID(FeedbackID.prefix(revision, split) + String(number, radix: 16)))
        return FeedbackStore.Label(id: id, isCorrect: isCorrect, value: value)
    }

    private static func counts(_ store: FeedbackStore, _ kind: LabelKind = .correctness) async -> LabelCounts {
        await store.labels(kind, of: Self.deployment, canary: Self.canary, stable: Self.stable)
    }

    @Test
    func `labels are counted by revision and split, right and wrong ones apart from values`() async throws {
        let store = self.store(at: 7)
        let receipt = await store.take(
            [
                try Self.label(1, isCorrect: false), try Self.label(2, value: 0.5),
                try Self.label(3, isCorrect: nil, value: 1), try Self.label(4, Self.stable),
                try Self.label(5, split: Self.split(25), isCorrect: false),
            ],
            of: Self.deployment,
            parts: Self.parts
        )
        #expect(receipt.counted == 5)
        #expect(receipt.repeated == 0 && receipt.strangers.isEmpty)
        let first = LabelCounts.Split(Self.split, canary: [1, 2], stable: [0, 1])
        let second = LabelCounts.Split(Self.split(25), canary: [1, 1], stable: [])
        #expect(await Self.counts(store).splits == [first, second].sorted { $0.split < $1.split })
        #expect(await Self.counts(store).began == Timestamp(milliseconds: 7))
        let values = await Self.counts(store, .value).splits
        #expect(values == [LabelCounts.Split(Self.split, canary: [2, 1.5, 1.25], stable: [])])
        let other = await store.labels(
            .correctness,
            of: DeploymentID(namespace: "search", name: "other"),
            canary: Self.canary,
            stable: Self.stable
        )
        #expect(other.splits.isEmpty)
    }

    @Test
    func `a request counts once, within a batch, between two, and over a restart`() async throws {
        let first = self.store()
        let batch = [try Self.label(1), try Self.label(1, isCorrect: false), try Self.label(2)]
        let receipt = await first.take(batch, of: Self.deployment, parts: Self.parts)
        #expect((receipt.counted, receipt.repeated) == (2, 1))
        let again = await first.take([try Self.label(2), try Self.label(3)], of: Self.deployment, parts: Self.parts)
        #expect((again.counted, again.repeated) == (1, 1))
        let second = self.store()
        let later = await second.take(
            try (1...4).map { try Self.label($0) },
            of: Self.deployment,
            parts: Self.parts
        )
        #expect((later.counted, later.repeated) == (1, 3))
        // Also one that names another revision for the request.
        let forged = await second.take([try Self.label(4, Self.stable)], of: Self.deployment, parts: Self.parts)
        #expect(forged.repeated == 1)
    }

    @Test
    func `a revision without a part is counted nowhere, and forgotten when it loses it`() async throws {
        let store = self.store()
        let stranger = Revision(digest: String(repeating: "3", count: 64))
        let receipt = await store.take(
            [try Self.label(1, stranger), try Self.label(2), try Self.label(3, stranger)],
            of: Self.deployment,
            parts: Self.parts
        )
        #expect(receipt.strangers == [stranger.short: 2])
        #expect(receipt.counted == 1)
        // Nothing was remembered of it: it may have a part later.
        let known = await store.take([try Self.label(1, stranger)], of: Self.deployment, parts: [stranger])
        #expect(known.counted == 1)
        #expect(await Self.counts(store).splits.isEmpty, "the canary has no part any more")
        let nobody = await store.take([try Self.label(9)], of: Self.deployment, parts: [])
        #expect(nobody.strangers == [Self.canary.short: 1])
    }

    @Test
    func `what is remembered is bounded, in memory and on the disk`() async throws {
        let store = self.store()
        let half = 1 << 18
        for start in stride(from: 0, to: half * 2 + 2000, by: 1000) {
            let labels = try (start..<start + 1000).map { try Self.label($0) }
            _ = await store.take(labels, of: Self.deployment, parts: Self.parts)
        }
        let folder = "\(self.folder)/feedback"
        var size = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            size += attributes[.size] as? Int ?? 0
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        #expect(size > 0 && size <= 2 * (half + 1000) * 8, "\(size)")
        let newest = try (half + 2000..<half + 3000).map { try Self.label($0) }
        #expect(await store.take(newest, of: Self.deployment, parts: Self.parts).repeated == 1000)
        #expect(await self.store().take(newest, of: Self.deployment, parts: Self.parts).repeated == 1000)
        #expect(await store.take([try Self.label(0)], of: Self.deployment, parts: Self.parts).counted == 1)
    }

    @Test
    func `splits are bounded, whatever ids say`() async throws {
        let store = self.store()
        let splits = (0..<200).compactMap { TrafficSplit("000000" + String($0 + 16, radix: 16)) }
        #expect(splits.count == 200)
        for (number, split) in splits.enumerated() {
            let labels = [try Self.label(number, split: split)]
            #expect(await store.take(labels, of: Self.deployment, parts: Self.parts).counted == 1)
        }
        #expect(await Self.counts(store).splits.map(\.split) == Array(splits.suffix(64)))
    }

    @Test
    func `a file that was cut short is mended`() async throws {
        let first = self.store()
        _ = await first.take([try Self.label(1)], of: Self.deployment, parts: Self.parts)
        let path = "\(self.folder)/feedback/told"
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        let second = self.store()
        let receipt = await second.take(
            [try Self.label(1), try Self.label(2)],
            of: Self.deployment,
            parts: Self.parts
        )
        #expect((receipt.counted, receipt.repeated) == (1, 1))
        let third = await self.store().take([try Self.label(2)], of: Self.deployment, parts: Self.parts)
        #expect(third.repeated == 1)
    }

    @Test
    func `without a folder labels count all the same, and once while it runs`() async throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: false)
        // A file where its folder should be.
        try Data().write(to: URL(filePath: "\(self.folder)/feedback"))
        let store = self.store()
        let labels = [try Self.label(1), try Self.label(2)]
        #expect(await store.take(labels, of: Self.deployment, parts: Self.parts).counted == 2)
        #expect(await store.take(labels, of: Self.deployment, parts: Self.parts).repeated == 2)
    }
}

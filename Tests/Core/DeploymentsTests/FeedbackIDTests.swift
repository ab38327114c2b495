import Deployments
import Foundation
import Testing

@Suite("Ids of answered requests")
struct FeedbackIDTests {
    static let stable = Revision(digest: String(repeating: "1", count: 64))
    static let canary = Revision(digest: String(repeating: "2", count: 64))
    static let other = Revision(digest: String(repeating: "3", count: 64))

    private static func split(_ canary: Int, matches: [Traffic.Match] = [], mirror: Traffic.Mirror? = nil) -> Traffic {
        Traffic(
            weights: [
                Self.stable: TrafficWeight(percent: 100 - canary), Self.canary: TrafficWeight(percent: canary),
            ],
            matches: matches,
            mirror: mirror
        )
    }

    @Test
    func `an id says who answered and how requests were split`() throws {
        let split = Self.split(5).split
        let text = FeedbackID.prefix(Self.canary, split) + "6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90"
        let id = try #require(FeedbackID(text))
        #expect(id.revision == Self.canary.short)
        #expect(id.split == split)
        #expect(id.unique == "6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90")
        #expect(id.description == text)
        #expect(text.utf8.count <= FeedbackID.longest)
    }

    @Test(arguments: [
        "", "2222222222", "2222222222.0a1b2c3d", "2222222222.0a1b2c3d.", ".0a1b2c3d.77", "2222222222.0a1b2c3.77",
        "2222222222.0A1B2C3D.77", "2222222222.0a1b2c3d.77.1", "22222222220.0a1b2c3d.77", "../etc.0a1b2c3d.77",
        "2222222222.0a1b2c3d.\u{1b}[2J", "2222222222.0a1b2c3d.é", " 2222222222.0a1b2c3d.77",
    ])
    func `what is no id is none`(text: String) {
        #expect(FeedbackID(text) == nil)
    }

    @Test
    func `an id has an end`() {
        let start = "2222222222.0a1b2c3d."
        #expect(FeedbackID(start + String(repeating: "7", count: 108)) != nil)
        #expect(FeedbackID(start + String(repeating: "7", count: 109)) == nil)
    }

    @Test
    func `a split is the same for the same weights and matches of the same revisions, and for no others`() {
        let match = Traffic.Match(headers: .preview, revision: Self.canary)
        let splits: [Traffic] = [
            Self.split(5), Self.split(6), Self.split(5, matches: [match]), Self.split(0),
            Self.split(0, matches: [match]),
            Self.split(100),
            Traffic(weights: [Self.stable: TrafficWeight(percent: 95), Self.other: .init(percent: 5)]),
            Traffic(weights: [Self.canary: TrafficWeight(percent: 95), Self.stable: .init(percent: 5)]),
        ]
        #expect(Set(splits.map(\.split)).count == splits.count)
        #expect(Self.split(5).split == Self.split(5).split)
        // No weight is as good as none, and copies answer nobody.
        #expect(Self.split(0).split == Traffic.all(to: Self.stable).split)
        let mirror = Traffic.Mirror(revision: Self.canary, percent: .all)
        #expect(Self.split(0, mirror: mirror).split == Self.split(0).split)
    }

    @Test
    func `a split is journaled as its digits, and nothing else is one`() throws {
        let split = Self.split(5).split
        let bytes = try JSONEncoder().encode([split])
        #expect(String(decoding: bytes, as: UTF8.self) == "[\"\(split.digits)\"]")
        #expect(try JSONDecoder().decode([TrafficSplit].self, from: bytes) == [split])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([TrafficSplit].self, from: Data("[\"nonsense\"]".utf8))
        }
    }
}

import Deployments
import Foundation
import Reconciliation
import Rollouts
import Testing

@Suite
struct SharedValueTests {
    private static let id = DeploymentID(namespace: "search", name: "file-type")

    @Test
    func `a member is written with its rollout as it is, and read again`() throws {
        var rollout = Rollout(id: Self.id, at: Timestamp(milliseconds: 5))
        rollout.holds = [.sharedIncident]
        let member = Member(rollout: rollout, traffic: .all(to: Revision(digest: "a")), repository: "models")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(member), as: UTF8.self)
        let inner = String(decoding: try encoder.encode(rollout), as: UTF8.self)
        #expect(text.contains("\"rollout\":\(inner)"))
        #expect(text.contains("\"repository\":\"models\""))
        #expect(!text.contains("heldRemoval") && !text.contains("askedSince"))
        #expect(try JSONDecoder().decode(Member.self, from: Data(text.utf8)) == member)
    }

    @Test
    func `a change of one copy of a member leaves the others as they were`() {
        let member = Member(rollout: Rollout(id: Self.id, at: Timestamp(milliseconds: 5)))
        var copy = member
        #expect(copy == member)
        copy.rollout.phase = .removing
        #expect(copy.rollout.phase == .removing)
        #expect(member.rollout.phase == .settled)
        #expect(copy != member)
    }

    @Test
    func `keys of which many are alike are told apart`() {
        let revisions = (0..<2000).map { number in
            // The first half, of which the key is made, is one.
            Revision(digest: String(repeating: "0", count: 32) + "\(number)")
        }
        let ids = revisions.enumerated().map { ReplicaID(deployment: Self.id, revision: $1, ordinal: $0 % 3) }
        #expect(Set(revisions).count == 2000)
        #expect(Set(ids).count == 2000)
        #expect(Set(ids).isSuperset(of: ids.reversed()))
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("${revision}", "0123456789"), ("a{r=\"${revision}\"}", "a{r=\"0123456789\"}"),
        ("${deployment}/${namespace}/${model.version}", "file-type/search/${revision}"),
        ("$", "$"), ("$$${revision}", "$$0123456789"), ("${revision", "${revision"), ("${}", "${}"),
        ("${other} ${x${revision}}", "${other} ${x0123456789}"),
        ("\r$\u{301}ä${revision}ä", "\r$\u{301}ä0123456789ä"),
    ])
    func `a query's variables are put in once, and nothing else is touched`(query: String, text: String) {
        let spec = DeploymentSpec(
            id: Self.id,
            revision: Revision(digest: "0123456789abcdef"),
            origin: CommitReference(repository: "models", branch: "main", commit: "c"),
            // No query of its own.
            model: Model(name: "m", version: "${revision}", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"])
        )
        #expect(query.substituted(for: spec) == text)
    }
}

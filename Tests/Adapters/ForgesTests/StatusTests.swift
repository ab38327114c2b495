import Forges
import Foundation
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// A fake forge, a client and a token file.
func withForge(
    _ kind: ForgeConfiguration.Kind,
    _ change: (inout ForgeConfiguration) -> Void = { _ in },
    _ body: (FakeForge, RemoteForge) async throws -> Void
) async throws {
    let fake = try FakeForge(kind)
    defer { fake.stop() }
    let file = FileManager.default.temporaryDirectory.appending(path: "forge-token-\(UUID().uuidString)")
    try Data("\(FakeForge.token)\nsomething else\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }  // it is in the temporary folder
    let client = HTTPClient()
    defer { client.close() }
    try await body(fake, fake.forge(tokenFile: file.path, client: client, change))
}

func report(
    _ state: RolloutReport.State,
    _ outcome: String,
    of deployment: String = "search/chat",
    commit: String = FakeForge.commit,
    reason: String = "all gates passed"
) -> RolloutReport {
    RolloutReport(
        deployment: deployment,
        commit: commit,
        state: state,
        outcome: outcome,
        reason: reason,
        label: "chat 2",
        time: "2026-11-30T12:00:00.000Z"
    )
}

/// What an operation is refused with.
func refusal(_ body: () async throws(SourceError) -> Void) async throws -> SourceError {
    do throws(SourceError) {
        try await body()
    } catch {
        return error
    }
    Issue.record("nothing was refused")
    throw CancellationError()
}

@Suite("Statuses of commits", .timeLimit(.minutes(5)))
struct StatusTests {
    private static let words: [ForgeConfiguration.Kind: [String]] = [
        .github: ["pending", "success", "failure"], .gitlab: ["running", "success", "failed"],
        .gitea: ["pending", "success", "failure"],
    ]

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a commit shows that it rolls out, is promoted and is taken back`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind, { $0.link = "https://grafana.example/d/1?name=${deployment}&space=${namespace}" }) {
            fake,
            forge in
            var seen: [String] = []
            for (state, outcome) in [
                (RolloutReport.State.running, "rollout-started"), (.succeeded, "promoted"), (.failed, "rolled-back"),
            ] {
                try await forge.show(report(state, outcome), as: .status)
                seen.append(try #require(fake.now.statuses.last).state)
            }
            #expect(seen == Self.words[kind])
            let last = try #require(fake.now.statuses.last)
            #expect(last.name == "controller/search/chat")
            #expect(last.description == "rolled-back: chat 2, all gates passed")
            #expect(last.link == "https://grafana.example/d/1?name=chat&space=search")
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `what is shown already is not written again`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            for state in [RolloutReport.State.running, .running, .failed, .failed] {
                try await forge.show(report(state, "x"), as: .status)
            }
            #expect(fake.requests.count { $0.method == "POST" } == 2)
            try await forge.show(report(.running, "x"), as: .status)
            #expect(fake.requests.count { $0.method == "POST" } == 3)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `an answer that was lost doubles nothing`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            fake.change { $0.lostAnswers = 1 }
            let lost = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.succeeded, "promoted"), as: .status)
            }
            #expect(lost.recovery == .retry)
            #expect(fake.now.statuses.count == 1)
            try await forge.show(report(.succeeded, "promoted"), as: .status)
            #expect(fake.now.statuses.count == 1)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a status is found behind those of two hundred others`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            try await forge.show(report(.succeeded, "promoted"), as: .status)
            fake.change { state in
                for number in 0..<230 {
                    state.statuses.append(
                        FakeForge.Status(
                            id: 1000 + number,
                            commit: FakeForge.commit,
                            name: "ci/\(number)",
                            state: "success",
                            description: ""
                        )
                    )
                }
                // GitHub shows the oldest first.
                if kind == .github { state.statuses[0].id = 5000 }
            }
            try await forge.show(report(.succeeded, "promoted"), as: .status)
            #expect(fake.requests.count { $0.method == "POST" } == 1)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `words that a forge would refuse are cut or replaced`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            let reason = "why 🎉\u{202E}\nnot " + String(repeating: "long ", count: 200)
            try await forge.show(report(.failed, "rolled-back", reason: reason), as: .status)
            let text = try #require(fake.now.statuses.last).description
            #expect(text.hasPrefix("rolled-back: chat 2, why ? not long"), "\(text)")
            #expect(text.hasSuffix("…"))
            #expect(text.unicodeScalars.count == (kind == .github ? 140 : 255))
        }
    }

    @Test
    func `GitLab's refusal of a state that it is in already is no refusal`() async throws {
        try await withForge(.gitlab) { fake, forge in
            // Between the look and the word, somebody else said the same.
            fake.change { $0.refusals = [FakeForge.json(200, [Any]())] }
            fake.change { state in
                state.statuses.append(
                    FakeForge.Status(
                        id: 1,
                        commit: FakeForge.commit,
                        name: "controller/search/chat",
                        state: "running",
                        description: ""
                    )
                )
            }
            try await forge.show(report(.running, "rollout-started"), as: .status)
            #expect(fake.now.statuses.count == 1)
            #expect(fake.requests.map(\.method) == ["GET", "POST", "GET"])
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a commit that the forge does not know concerns that commit alone`(kind: ForgeConfiguration.Kind) async throws
    {
        try await withForge(kind) { fake, forge in
            let gone = String(repeating: "f", count: 40)
            let error = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x", commit: gone), as: .status)
            }
            #expect(error.code == .refused)
            #expect(error.recovery == .needsOperator)
        }
    }

    @Test
    func `GitHub's limit of a thousand statuses is told in its words`() async throws {
        try await withForge(.github) { fake, forge in
            fake.change { state in
                for number in 0..<1000 {
                    state.statuses.append(
                        FakeForge.Status(
                            id: number,
                            commit: FakeForge.commit,
                            name: "Controller/search/chat",
                            state: "pending",
                            description: "\(number)"
                        )
                    )
                }
            }
            let error = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            let words =
                "422 to POST /repos/team/models/statuses/\(FakeForge.commit): Validation Failed; This SHA and "
                + "context has reached the maximum number of statuses."
            #expect(error.message.contains(words), "\(error)")
            #expect(error.code == .refused)
        }
    }
}

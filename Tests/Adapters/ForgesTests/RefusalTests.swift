import Forges
import Foundation
import LoopbackServer
import Reconciliation
import Testing
import Transport

@Suite("What a forge refuses", .timeLimit(.minutes(5)))
struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var status: Int
        var headers: [String: String] = [:]
        var words: String
        var code: SourceError.Code
        var recovery: Recovery?
        var told: String

        var testDescription: String { "\(self.status) \(self.headers)" }
    }

    private static let cases = [
        Case(
            status: 401,
            words: "Bad credentials",
            code: .notConfigured,
            recovery: .needsOperator,
            told: "renew it in /"
        ),
        Case(status: 403, words: "Resource not accessible", code: .refused, recovery: .needsOperator, told: "rights"),
        Case(status: 404, words: "Not Found", code: .refused, recovery: .needsOperator, told: "check `project`"),
        Case(status: 422, words: "Validation Failed", code: .refused, recovery: .needsOperator, told: "refuses"),
        Case(
            status: 429,
            headers: ["Retry-After": "7"],
            words: "Too Many",
            code: .unreachable,
            recovery: .wait(.seconds(7)),
            told: "asks to wait 7 s"
        ),
        Case(
            status: 403,
            headers: ["retry-after": "30"],
            words: "secondary",
            code: .unreachable,
            recovery: .wait(.seconds(30)),
            told: "asks to wait 30 s"
        ),
        Case(
            status: 403,
            words: "You have exceeded a secondary rate limit.",
            code: .unreachable,
            recovery: .wait(.seconds(60)),
            told: "asks to wait 60 s"
        ),
        Case(
            status: 403,
            headers: ["x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"],
            words: "API rate limit exceeded",
            code: .unreachable,
            recovery: .wait(.seconds(1)),
            told: "asks to wait 1 s"
        ),
        Case(
            status: 429,
            words: "Retry later",
            code: .unreachable,
            recovery: .wait(.seconds(60)),
            told: "asks to wait"
        ),
        Case(status: 502, words: "Bad Gateway", code: .unreachable, recovery: .retry, told: "answered 502"),
    ]

    @Test(arguments: Self.cases)
    func `each refusal is told in the forge's words, with what to do`(of expected: Case) async throws {
        for kind in ForgeConfiguration.Kind.allCases {
            try await withForge(kind) { fake, forge in
                // A server that is careless enough to repeat the token.
                let words = "\(expected.words) \(FakeForge.token)"
                fake.change {
                    $0.refusals = [FakeForge.json(expected.status, ["message": words], headers: expected.headers)]
                }
                let error = try await refusal { () async throws(SourceError) in
                    try await forge.show(report(.failed, "x"), as: .status)
                }
                #expect(error.code == expected.code, "\(error)")
                #expect(error.recovery == expected.recovery)
                #expect(error.message.contains("the forge of the repository \"models\" (\(fake.url), team/models): "))
                #expect(error.message.contains(expected.words), "\(error)")
                #expect(error.message.contains(expected.told), "\(error)")
                #expect(error.message.contains("\(expected.status)"), "\(error)")
                #expect(!error.message.contains(FakeForge.token), "\(error)")
            }
        }
    }

    @Test
    func `the limit of an hour is waited for until it is reset`() async throws {
        try await withForge(.github) { fake, forge in
            let reset = "\(Int(Date().timeIntervalSince1970) + 1800)"
            fake.change {
                $0.refusals = [
                    FakeForge.json(
                        403,
                        ["message": "API rate limit exceeded"],
                        headers: ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset]
                    )
                ]
            }
            let error = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            guard case .wait(let wait) = error.recovery else {
                Issue.record("\(error.recovery)")
                return
            }
            #expect((.seconds(1500)...(.seconds(1801))).contains(wait))
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a redirect to another host gets no token, and no request`(kind: ForgeConfiguration.Kind) async throws {
        let other = try LoopbackServer { _ in .text("[]") }
        defer { other.stop() }
        try await withForge(kind) { fake, forge in
            for status in [301, 302, 307, 308] {
                fake.change {
                    $0.refusals = [.status(status, headers: ["Location": "\(other.url)/elsewhere?private=1"])]
                }
                let error = try await refusal { () async throws(SourceError) in
                    try await forge.show(report(.failed, "x"), as: .status)
                }
                #expect(error.message.contains("redirects to \(other.url)/elsewhere, "), "\(error)")
                #expect(error.recovery == .needsOperator)
            }
            #expect(other.requests.isEmpty)
            #expect(fake.now.statuses.isEmpty)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a token that is renewed in its file is used at once, and a missing one is named`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "renewed-\(UUID().uuidString)")
        try await withForge(kind, { $0.credentials = .tokenFile(file.path) }) { fake, forge in
            let missing = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(missing.code == .notConfigured)
            #expect(missing.message.contains("the token file \(file.path) cannot be read"))
            try Data("old\n".utf8).write(to: file)
            let old = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(old.message.contains("does not take the token"), "\(old)")
            try Data(FakeForge.token.utf8).write(to: file)
            try await forge.show(report(.failed, "x"), as: .status)
            try Data("\u{7}\n".utf8).write(to: file)
            let odd = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(odd.message.contains("holds no token"), "\(odd)")
            try FileManager.default.removeItem(at: file)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a server that is no forge, hangs or is gone is told apart from a refusal`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind, { $0.timeout = .milliseconds(300) }) { fake, forge in
            fake.change { $0.refusals = [.text("<html>Sign in</html>")] }
            let page = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(page.code == .unreadable)
            #expect(page.message.contains("something else than its API's format"), "\(page)")
            fake.change { $0.isSilent = true }
            let hung = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(hung.code == .timedOut)
            fake.stop()
            let gone = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.failed, "x"), as: .status)
            }
            #expect(gone.code == .unreachable)
            #expect(gone.recovery == .retry)
        }
    }
}

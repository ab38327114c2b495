import Deployments
import Foundation
import Git
import Reconciliation
import Testing

/// Against servers that answer wrongly, too slowly or without end: each poll ends by its deadline, says what is wrong,
/// and changes nothing.
@Suite("Hostile servers")
struct HostileServerTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        var mode: [String]
        var code: SourceError.Code
        var recovery: Recovery
        var words: String

        var testDescription: String { self.mode.joined(separator: " ") }
    }

    @Test(arguments: [
        Answer(mode: ["reset"], code: .unreachable, recovery: .retry, words: "cannot be reached"),
        Answer(mode: ["stop"], code: .unreachable, recovery: .retry, words: "cannot be reached"),
        Answer(mode: ["429", "Retry-After", "30"], code: .unreachable, recovery: .retry, words: "asked too often"),
        Answer(mode: ["500"], code: .unreachable, recovery: .retry, words: "500"),
        Answer(mode: ["503"], code: .unreachable, recovery: .retry, words: "503"),
        Answer(mode: ["401"], code: .refused, recovery: .needsOperator, words: "does not accept the credentials"),
        Answer(
            mode: ["401", "WWW-Authenticate", "Basic realm=\"x\""],
            code: .refused,
            recovery: .needsOperator,
            words: "does not accept the credentials"
        ),
        Answer(mode: ["403"], code: .refused, recovery: .needsOperator, words: "does not accept the credentials"),
        Answer(mode: ["404"], code: .refused, recovery: .needsOperator, words: "no such repository"),
        Answer(mode: ["garbage"], code: .unreachable, recovery: .retry, words: "HTTP"),
    ])
    func `a wrong answer is told in words and leaves no process`(_ answer: Answer) async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.hostile(answer.mode) { url, _ in
                let repository = workshop.repository(url: url + "/remote.git")
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == answer.code, "\(error.message)")
                #expect(error.recovery == answer.recovery)
                #expect(error.message.contains(answer.words), "\(error.message)")
                try await Processes.expectNone(withHome: workshop.storage + "/models/home")
            }
        }
    }

    @Test(arguments: ["drip", "endless"])
    func `an answer without end is ended at the deadline`(mode: String) async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.hostile([mode]) { url, _ in
                let repository = workshop.repository(url: url + "/remote.git") { $0.timeout = .seconds(2) }
                let error = try await sourceError { _ = try await repository.poll() }
                #expect([.timedOut, .tooLarge].contains(error.code), "\(error.message)")
                #expect(error.recovery == .retry)
                try await Processes.expectNone(withHome: workshop.storage + "/models/home")
            }
        }
    }

    @Test
    func `a server that redirects after the login gets the token alone`() async throws {
        try await Workshop.run { workshop in
            let file = workshop.root + "/token"
            try "hunter2".write(toFile: file, atomically: true, encoding: .utf8)
            try await LoopbackServers.hostile(["404"]) { other, nextOfOther in
                try await LoopbackServers.hostile(["login", other]) { url, next in
                    let repository = workshop.repository(url: url + "/remote.git") {
                        $0.credentials = .token(file: file)
                    }
                    let error = try await sourceError { _ = try await repository.poll() }
                    #expect(error.code == .refused)
                    #expect(error.message.contains("redirects to another address"), "\(error.message)")
                    #expect(!error.message.contains("hunter"))
                    #expect(try await next() == nil)
                    #expect(try await next() == "Authorization: Basic Z2l0Omh1bnRlcjI=")
                }
                // The first that the other one hears of is this.
                let stranger = workshop.repository(name: "stranger", url: other + "/remote.git")
                _ = try await sourceError { _ = try await stranger.poll() }
                #expect(try await nextOfOther() == nil)
            }
        }
    }

    @Test
    func `a git that is killed ends its poll and no other`() async throws {
        try await Workshop.run { workshop in
            try await LoopbackServers.silent { port in
                let repository = workshop.repository(url: "http://127.0.0.1:\(port)/x.git")
                let error = try await sourceError {
                    async let poll = repository.poll()
                    try await Processes.kill("git", withHome: workshop.storage + "/models/home")
                    _ = try await poll
                }
                #expect(error.code == .unreachable, "\(error.message)")
                #expect(error.recovery == .retry)
                #expect(error.message.contains("was ended by signal 9"), "\(error.message)")
                try await Processes.expectNone(withHome: workshop.storage + "/models/home")
            }
            #expect(try await workshop.repository().poll() != nil)
        }
    }

    @Test
    func `a server that has lost a manifest's content keeps nobody from what was taken, until it has it again`()
        async throws
    {
        try await Workshop.run { workshop in
            let repository = workshop.repository()
            #expect(try await repository.poll() != nil)
            let commit = try await workshop.commit(["a.yaml": "2"])
            try await workshop.push()
            let id = try await workshop.git("rev-parse", "HEAD:a.yaml")
            let object = workshop.remote + "/objects/\(id.prefix(2))/\(id.dropFirst(2))"
            try FileManager.default.moveItem(atPath: object, toPath: object + ".lost")
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.recovery == .retry, "\(error.message)")
            try FileManager.default.moveItem(atPath: object + ".lost", toPath: object)
            #expect(try await repository.poll()?.origin.commit == commit)
        }
    }
}

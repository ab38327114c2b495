import ControllerAPI
import Foundation
import LoopbackServer
import Synchronization
import Testing

extension IntegrationTests {
    @Test
    func `a board, a program and a person are asked before a rollout, before its promotion and after it`() async throws
    {
        let board = Board()
        let service = try LoopbackServer { request in .text(board.answer(String(decoding: request.body, as: UTF8.self)))
        }
        defer { service.stop() }
        try await Sandbox.run { sandbox in
            let programs = "\(sandbox.folder)/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: false)
            try sandbox.write("\(programs)/smoke", "#!/bin/sh\necho smoke of $2\n[ $2 != 4 ]\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(programs)/smoke")
            try sandbox.configure(
                providers: ["{name: approvals, kind: webhook, url: \"\(service.url)/gates\"}"],
                programs: programs
            )
            try await sandbox.startController()
            let gates = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: change-board}
                spec: {webhook: {provider: approvals, interval: 1s}}
                ---
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: smoke}
                spec: {job: {command: [smoke, "${endpoint}", "${model.version}"]}}

                """
            try await sandbox.merge(Release(version: "1"), also: ["gates.yaml": gates])
            try await sandbox.serves("1")

            // Nothing of it runs while the board looks at it.
            var release = Release(version: "2", onInconclusive: "promote", bakeTime: "2s", holdback: 0)
            release.signOffs = [
                "beforeRollout: {gates: [change-board]}", "beforePromotion: {approval: {}}",
                "afterPromotion: {gates: [smoke]}",
            ]
            try await sandbox.merge(release)
            let waiting = try await sandbox.wait(for: "the board") { status in
                status.holds.contains { $0.kind == "sign-off" }
            }
            #expect(waiting.phase == "settled")
            #expect(waiting.canary == nil)
            #expect(waiting.signOffs?.first?.gates.first?.value == "approvals says wait: is being looked at")
            #expect(waiting.stable?.replicas.count == 1)

            // A restart forgets nothing of it, and the board's yes lets it begin.
            sandbox.killController()
            try await sandbox.startController()
            board.say("pass", of: "2")
            let asked = try await sandbox.wait(for: "the person") { status in
                status.signOffs?.first?.place == "beforePromotion"
            }
            #expect(asked.canary?.weight == 60)
            let answer = try await sandbox.command("promote", Sandbox.name, "--why", "looks good")
            #expect(answer.status == 0, "\(answer.error)")
            #expect(answer.output.contains("signed echo 2"), "\(answer.output)")
            try await sandbox.wait(for: "the bake's end") { $0.phase == "settled" && $0.stable?.modelVersion == "2" }
            let history = try await sandbox.command("history", Sandbox.name)
            #expect(history.output.contains("signed off before the promotion: looks good"), "\(history.output)")

            // What is turned down never runs; what fails its last test gives the traffic back.
            board.say("fail", of: "3")
            release.version = "3"
            try await sandbox.merge(release)
            let refused = try await sandbox.wait(for: "the refusal") {
                $0.quarantined.contains { $0.modelVersion == "3" }
            }
            #expect(refused.phase == "settled")
            #expect(
                refused.quarantined.first?.reason.contains("before the rollout: approvals says fail: is fail") == true
            )
            board.say("pass", of: "4")
            release.version = "4"
            release.bakeTime = "1h"
            release.signOffs.removeAll { $0.hasPrefix("beforePromotion") }
            try await sandbox.merge(release)
            let back = try await sandbox.wait(for: "the way back") { status in
                status.phase == "settled" && status.quarantined.contains { $0.modelVersion == "4" }
            }
            #expect(back.stable?.modelVersion == "2")
            #expect(back.quarantined.last?.reason.contains("after the promotion: the job says fail: smoke") == true)
            try await sandbox.expectReplay()
        }
    }
}

/// Says of each version what it was told to, and asks for patience else.
private final class Board: Sendable {
    private let words = Mutex<[String: String]>([:])

    func say(_ word: String, of version: String) { self.words.withLock { $0[version] = word } }

    func answer(_ question: String) -> String {
        guard question.contains("\"place\":\"beforeRollout\""), question.contains("\"step\":0") else { return "{}" }
        let word = self.words.withLock { words in words.first { question.contains("\"modelVersion\":\"\($0.key)\"") } }
        return "{\"outcome\": \"\(word?.value ?? "wait")\", \"message\": \"is \(word?.value ?? "being looked at")\"}"
    }
}

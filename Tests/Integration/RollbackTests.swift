import ControllerAPI
import Foundation
import Glibc
import Testing

extension IntegrationTests {
    @Test
    func `a canary that fails half of its requests is taken back at once`() async throws {
        try await Sandbox.run { sandbox in
            try sandbox.configure(poll: "1s")
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            var release = Release(version: "2", faults: "share=0.5,status=503")
            release.steps = [.long(5)]
            try await sandbox.merge(release)
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            let report = try await load.end()

            #expect(status.stable?.modelVersion == "1")
            #expect(status.quarantined.first?.reason.contains("gate errors failed") == true)
            #expect(report.socketErrors == 0)
            let bad = report.answers.filter { $0.status != 200 }
            let revision = try #require(status.quarantined.first?.revision.prefix(10))
            // Nobody but the canary's users is hurt, and few of them.
            #expect(bad.allSatisfy { $0.revision == revision })
            #expect((1...60).contains(bad.count))
            let canary = report.answers.filter { $0.revision == revision }
            let seconds = try #require(canary.last).time - (try #require(bad.first).time)
            // Three polls, and time for a busy machine.
            #expect(seconds < 5)
            try await sandbox.expectReplay()
            print("hard failure: \(bad.count) bad of \(canary.count) canary answers, back after \(seconds) s")
        }
    }

    @Test
    func `a rollback by command takes the traffic back while the command runs`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            var release = Release(version: "2")
            release.steps = [.long(50)]
            try await sandbox.merge(release)
            let revision = try #require(try await sandbox.canary("2", at: 50).canary?.revision.prefix(10))
            try await sandbox.until("the canary answers") {
                try load.answers().contains { $0.revision == revision }
            }

            let start = Date().timeIntervalSince1970
            let command = try await sandbox.command("rollback", Sandbox.name, "--why", "wrong labels")
            #expect(command.status == 0, "\(command.error)")
            #expect(command.output.contains("took the traffic from"))
            let status = try await sandbox.wait(for: "the rollback") { $0.phase == "settled" }
            #expect(status.stable?.modelVersion == "1")
            #expect(status.quarantined.first?.reason.contains("wrong labels") == true)

            let report = try await load.endUnharmed()
            let last = try #require(report.answers.last { $0.revision == revision })
            print("rollback: last canary answer \(Int((last.time - start) * 1000)) ms after the command's start")
            #expect(last.time - start < 2)
        }
    }

    @Test
    func `an objective breached in the bake brings the previous revision back, which is warm`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let before = sandbox.processes("model_server.py")
            let load = try await Load(on: sandbox)
            let file = "\(sandbox.folder)/fail"
            var release = Release(version: "2", faults: "share=0.5,file=\(file)", bakeTime: "30m")
            release.steps = [.init(50)]
            // With one, the gates would find it first.
            release.holdback = 0
            try await sandbox.merge(release)
            try await sandbox.wait(for: "the bake") { $0.phase == "baking" }

            try sandbox.write(file, "")
            let status = try await sandbox.wait(for: "the rollback") { $0.phase == "settled" }
            #expect(status.stable?.modelVersion == "1")
            #expect(status.quarantined.first?.modelVersion == "2")
            #expect(status.quarantined.first?.reason.contains("objective availability was breached") == true)
            #expect(before.count == 1 && sandbox.processes("model_server.py").contains(before))

            let count = try load.answers().count
            try await sandbox.until("more answers") { try load.answers().count > count + 100 }
            let report = try await load.end()
            #expect(report.socketErrors == 0)
            #expect(report.answers.suffix(50).allSatisfy { $0.status == 200 })
            print("breach in the bake: \(report.failed) bad answers")
        }
    }
}

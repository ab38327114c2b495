import ControllerAPI
import Foundation
import Glibc
import Testing

/// A new configuration is taken over by the running controller; a bad one changes nothing.
extension IntegrationTests {
    @Test
    func `reloads at every stage of a rollout drop no request, and it goes on`() async throws {
        try await Sandbox.run { sandbox in
            var release = Release(version: "1", faults: "start=1", replicas: 2)
            release.bakeTime = "2s"
            try await sandbox.startController()
            try await sandbox.merge(release)
            try await sandbox.wait(for: "version 1 serves") { $0.phase == "settled" }
            let load = try await Load(rate: 150, on: sandbox)
            let process = sandbox.controllerID
            release.version = "2"
            try await sandbox.merge(release)
            var phases: Set<String> = []
            try await sandbox.until("version 2 is settled") {
                guard let status = await sandbox.status(), status.health != .unknown else { return false }
                if status.canary != nil || status.phase == "baking", phases.insert(status.phase).inserted {
                    try await sandbox.reload()
                }
                return status.phase == "settled" && status.stable?.modelVersion == "2"
            }
            #expect(phases.isSuperset(of: ["preparing", "stepping", "baking"]), "\(phases)")
            #expect(sandbox.controllerID == process && sandbox.isControllerRunning)
            let report = try await load.endUnharmed()
            #expect(try await sandbox.count("rolled-back") == 0)
            try await sandbox.until("the old replicas have ended") { sandbox.processes("model_server.py").count == 2 }
            try await sandbox.expectReplay()
            print("reloads: \(phases.count); \(report.failed) of \(report.answers.count) requests failed")
        }
    }

    @Test
    func `a changed file is taken over without being asked, and one with problems is refused and shown`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)
            let file = "\(sandbox.folder)/controller.yaml"
            let good = try String(contentsOfFile: file, encoding: .utf8)

            try sandbox.write(file, good.replacing("poll: 500ms", with: "pol: 500ms"))
            let problem = try await sandbox.refusal()
            #expect(problem.contains("controller.yaml:4:1: error: pol: unknown field"), "\(problem)")
            let shown = try await sandbox.command("get")
            #expect(shown.error.contains("a newer configuration is refused: "), "\(shown.error)")
            #expect(await sandbox.status()?.stable?.modelVersion == "1")

            // What cannot change while models run, and what cannot be had, is refused before anything ends.
            try sandbox.write(file, good.replacing(sandbox.state, with: "\(sandbox.folder)/other"))
            try await sandbox.refusal(saying: "`stateDirectory` cannot change while the controller runs")
            let other = try sandbox.start(
                try Machine.python(),
                ["-m", "http.server", "--bind", "127.0.0.1", "\(sandbox.sparePort)"],
                output: "\(sandbox.folder)/other.log"
            )
            defer { other.terminate() }
            try await sandbox.until("the port is taken") { !Machine.isFree(sandbox.sparePort) }
            try sandbox.write(file, good + "metrics: {listen: \"127.0.0.1:\(sandbox.sparePort)\"}\n")
            try await sandbox.refusal(saying: "cannot be listened on")

            // The one before again, and then a second repository.
            try sandbox.write(file, good)
            try await sandbox.until("nothing is refused") {
                await sandbox.fleet()?.configuration?.problems.isEmpty ?? false
            }
            let process = sandbox.controllerID
            let second = "repositories:\n  - {name: more, url: \"file://\(sandbox.folder)/more.git\"}"
            try sandbox.write(file, good.replacing("repositories:", with: second))
            try await sandbox.until("there are two repositories") { await sandbox.fleet()?.sources.count == 2 }
            try sandbox.write(file, good)
            try await sandbox.until("there is one") { await sandbox.fleet()?.sources.count == 1 }
            #expect(sandbox.controllerID == process && sandbox.isControllerRunning)
            try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }

    @Test
    func `a configuration that does not start is gone back from`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)
            let file = "\(sandbox.folder)/controller.yaml"
            let good = try String(contentsOfFile: file, encoding: .utf8)
            // A folder that others may enter is found unsafe only when the socket is made.
            let open = "\(sandbox.folder)/open"
            try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: false)
            chmod(open, 0o777)
            try sandbox.write(file, good.replacing(sandbox.socket, with: "\(open)/c.sock"))
            let problem = try await sandbox.refusal()
            #expect(problem.contains("it does not start"), "\(problem)")
            #expect(problem.contains("others may enter"), "\(problem)")
            try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }
}

extension Sandbox {
    /// SIGHUP, and the wait until the controller has begun anew.
    fileprivate func reload() async throws {
        let count = { try String(contentsOfFile: self.log, encoding: .utf8).ranges(of: "controller is ready").count }
        let before = try count()
        kill(try #require(self.controllerID), SIGHUP)
        try await self.until("the controller has begun anew") { try count() > before }
    }

    /// Waits until a configuration is refused, for this reason.
    @discardableResult
    fileprivate func refusal(saying words: String = "") async throws -> String {
        var problems = ""
        try await self.until("a configuration is refused: \(words)") {
            problems = await self.fleet()?.configuration?.problems.joined(separator: "\n") ?? ""
            return !problems.isEmpty && (words.isEmpty || problems.contains(words))
        }
        return problems
    }
}

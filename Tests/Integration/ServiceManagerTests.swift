import ControllerAPI
import Foundation
import Glibc
import Testing

/// What systemd is told, over a socket like its own: sd_notify(3).
extension IntegrationTests {
    @Test(arguments: [false, true])
    func `a service manager hears of the start, of a reload and of the end`(isAbstract: Bool) async throws {
        try await Sandbox.run { sandbox in
            let address = isAbstract ? "@\(sandbox.folder)" : "\(sandbox.folder)/notify"
            let manager = try DatagramSocket(address)
            sandbox.controllerVariables = ["NOTIFY_SOCKET": address]
            try sandbox.launchController()
            var lines: [String] = []
            try await sandbox.until("the controller is ready") {
                lines += manager.lines()
                return lines.contains("READY=1")
            }
            // Whoever waited for that can use it at once.
            #expect(await sandbox.fleet() != nil)
            #expect(!lines.contains("WATCHDOG=1"), "nobody watches")
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            try await sandbox.until("the status tells of the rollout") {
                lines += manager.lines()
                return lines.contains("STATUS=1 deployment; rolling out default/echo")
                    && lines.last { $0.hasPrefix("STATUS=") } == "STATUS=1 deployment"
            }
            for process in sandbox.processes("model_server.py") + sandbox.processes("envoy/bootstrap.json") {
                let variables = try #require(FileManager.default.contents(atPath: "/proc/\(process)/environ"))
                #expect(variables.range(of: Data("NOTIFY_SOCKET".utf8)) == nil, "it could speak for the controller")
            }

            lines = []
            kill(try #require(sandbox.controllerID), SIGHUP)
            try await sandbox.until("the reload is over") {
                lines += manager.lines()
                return lines.contains("READY=1")
            }
            let reloading = try #require(lines.firstIndex(of: "RELOADING=1"))
            #expect(lines[(reloading + 1)...].first?.hasPrefix("MONOTONIC_USEC=") == true, "\(lines)")
            #expect(lines.firstIndex(of: "READY=1").map { $0 > reloading } == true)

            lines = []
            try await sandbox.stopController()
            lines += manager.lines()
            #expect(lines.contains("STOPPING=1"), "\(lines)")
            #expect(!lines.contains("READY=1"))
        }
    }

    @Test
    func `the watchdog hears nothing of a stuck loop, and is not kept waiting by a git server`() async throws {
        try await Sandbox.run { sandbox in
            let manager = try DatagramSocket("\(sandbox.folder)/notify")
            sandbox.controllerVariables = [
                "NOTIFY_SOCKET": "\(sandbox.folder)/notify", "WATCHDOG_USEC": "1000000",
            ]
            // It takes connections, and never says a word.
            let silent =
                "import socket,time; s = socket.socket(); s.bind(('127.0.0.1', \(sandbox.sparePort))); s.listen(); "
                + "time.sleep(3600)"
            _ = try sandbox.start(
                try Machine.python(),
                ["-c", silent, "\(sandbox.folder)/"],
                output: "\(sandbox.folder)/silent.log"
            )
            try await sandbox.until("it listens") { !Machine.isFree(sandbox.sparePort) }
            let file = "\(sandbox.folder)/controller.yaml"
            let one = try String(contentsOfFile: file, encoding: .utf8)
            let slow = "{name: slow, timeout: 10m, url: \"http://127.0.0.1:\(sandbox.sparePort)/slow.git\"}"
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            // With an empty journal nothing moves before each repository was read.
            try sandbox.write(file, one.replacing("repositories:", with: "repositories:\n  - \(slow)"))
            try await sandbox.until("there are two repositories") { await sandbox.fleet()?.sources.count == 2 }
            _ = manager.lines()
            let load = try await Load(rate: 40, on: sandbox)
            var signs = 0
            try await sandbox.until("signs of life go on while git waits") {
                signs += manager.lines().count { $0 == "WATCHDOG=1" }
                return signs > 5
            }
            #expect(await sandbox.fleet()?.sources.first { $0.repository == "slow" }?.lastPolled == nil)

            // Whoever opens a pipe that nobody reads waits for ever: the next table of routes is written there.
            let pipe = "\(sandbox.state)/envoy/xds/rds.json.new"
            try #require(mkfifo(pipe, 0o600) == 0)
            try await sandbox.merge(Release(version: "2", gates: []))
            var last = ContinuousClock.now
            try await sandbox.until("there was no sign of life for as long as a service manager waits, five times") {
                if manager.lines().contains("WATCHDOG=1") { last = .now }
                return ContinuousClock.now - last > .seconds(5)
            }
            #expect(await sandbox.fleet() != nil, "all else goes on")

            // What the service manager does then.
            sandbox.killController()
            try FileManager.default.removeItem(atPath: pipe)
            try await sandbox.startController()
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }
}

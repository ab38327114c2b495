import Deployments
import Foundation
import Glibc
import LocalPlatform
import Reconciliation
import Testing

@Suite
struct `Local replicas` {
    @Test
    func `a replica becomes ready when it answers its golden prediction, and is gone after its stop`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            #expect(try await platform.replicas() == [])
            try await platform.start(ReplicaWorld.id(), as: world.launch())
            try await platform.start(ReplicaWorld.id(), as: world.launch())
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(replica.restarts == 0)
            #expect(replica.lastFailure == nil)
            #expect(world.ports.contains(try #require(replica.endpoint).port))
            #expect(
                replica.signature == #"{"inputs":[{"datatype":"INT32","name":"bytes","shape":[-1,4]}],"#
                    + #""outputs":[{"datatype":"BYTES","name":"label","shape":[-1]}]}"#
            )
            let pid = try #require(world.startedProcesses.first)

            try await platform.drain(ReplicaWorld.id())
            let drained = try await ReplicaWorld.wait(of: platform) { $0.isDraining }
            try await platform.drain(ReplicaWorld.id())
            #expect(try await platform.replicas() == [drained])
            try await platform.undrain(ReplicaWorld.id())
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            try await platform.drain(ReplicaWorld.id())

            try await ReplicaWorld.stop(of: platform)
            #expect(world.startedProcesses == [pid])
            #expect(!ReplicaWorld.isAlive(pid))
            try await platform.stop(ReplicaWorld.id())
        }
    }

    @Test
    func `changes yield when a replica becomes ready`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: world.launch())
            for await _ in platform.changes {
                if try await platform.replicas().first?.state == .ready { break }
            }
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `a wrong golden answer fails the replica, says what was expected and ends its process`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: world.launch("--answer", "gradle"))
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .failed }
            #expect(
                replica.lastFailure == #"golden prediction 1: outputs[0].data[0]: expected "python", got "gradle""#
            )
            let pid = try #require(world.startedProcesses.first)
            #expect(await eventually { !ReplicaWorld.isAlive(pid) })
            #expect(world.startedProcesses.count == 1)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `a refused golden prediction fails the replica with status and body`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: world.launch("--infer-status", "400"))
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .failed }
            let reason = try #require(replica.lastFailure)
            #expect(reason.hasPrefix("golden prediction 1: POST /v2/models/magika/infer answered 400: {\"model_name\""))
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test(
        arguments: [
            (["--exit-code", "1"], "exit code 1: loading /models/of magika / INVALID_PROTOBUF: cannot load"),
            (["--exit-code", "0"], "exit code 0: loading /models/of magika / INVALID_PROTOBUF: cannot load"),
            (["--exit-signal", "4"], "killed by SIGILL (illegal instruction): loading /models/of magika"),
        ]
    )
    func `an end that nobody asked for is a crash and is told by its name`(
        faults: [String],
        reason: String
    ) async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            var launch = world.launch()
            launch.runtime.command += faults
            try await platform.start(ReplicaWorld.id(), as: launch)
            let replica = try await ReplicaWorld.wait(of: platform) { $0.lastFailure != nil && $0.isBackingOff }
            #expect(replica.lastFailure == reason)
            // It goes on trying.
            _ = try await ReplicaWorld.wait(of: platform) { $0.restarts >= 2 }
            #expect(await eventually { world.startedProcesses.count >= 3 })
            try await ReplicaWorld.stop(of: platform)
            #expect(!world.startedProcesses.contains(where: ReplicaWorld.isAlive))
        }
    }

    @Test
    func `a replica that crashes twice is ready at the third start, on a port that answers`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            let launch = world.launch("--exit-code", "3", "--faulty-starts", "2")
            try await platform.start(ReplicaWorld.id(), as: launch)
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(replica.restarts == 2)
            #expect(replica.lastFailure?.hasPrefix("exit code 3") == true)

            // A ready one that is killed comes back too.
            kill(try #require(world.startedProcesses.last), SIGKILL)
            let again = try await ReplicaWorld.wait(of: platform) { $0.state == .ready && $0.restarts == 3 }
            #expect(again.lastFailure?.hasPrefix("killed by SIGKILL") == true)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `SIGTERM ignored ends in SIGKILL for the whole group`() async throws {
        try await self.stopEndsEverything("--ignore-term", "--child", "group")
    }

    @Test
    func `a child that left the group is ended too`() async throws {
        try await self.stopEndsEverything("--child", "session")
    }

    private func stopEndsEverything(_ faults: String...) async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            var launch = world.launch(grace: .milliseconds(300))
            launch.runtime.command += faults
            try await platform.start(ReplicaWorld.id(), as: launch)
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            let leader = try #require(world.startedProcesses.first)
            let children = world.children(of: leader)
            #expect(children.count == 1)
            try await ReplicaWorld.stop(of: platform)
            #expect(!ReplicaWorld.isAlive(leader))
            #expect(!children.contains(where: ReplicaWorld.isAlive))
        }
    }

    @Test
    func `what a crashed leader leaves behind is ended before the next start`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: world.launch("--child", "group", grace: .milliseconds(300)))
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            let leader = try #require(world.startedProcesses.first)
            let children = world.children(of: leader)
            #expect(children.count == 1)
            kill(leader, SIGKILL)
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready && $0.restarts == 1 }
            #expect(!children.contains(where: ReplicaWorld.isAlive))
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `a replica that is not ready in time is ended and started again`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            let launch = world.launch("--never-listen", startupTimeout: .seconds(2))
            try await platform.start(ReplicaWorld.id(), as: launch)
            let replica = try await ReplicaWorld.wait(of: platform) { $0.lastFailure != nil }
            let reason = try #require(replica.lastFailure)
            #expect(reason.hasPrefix("not ready within 2s: nothing listens on 127.0.0.1:"))
            _ = try await ReplicaWorld.wait(of: platform) { $0.restarts >= 1 && $0.state == .starting }
            try await ReplicaWorld.stop(of: platform)
            #expect(!world.startedProcesses.contains(where: ReplicaWorld.isAlive))
        }
    }

    @Test
    func `a missing program fails the replica at once`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            var launch = world.launch()
            launch.runtime.command[0] = "no-such-model-server"
            try await platform.start(ReplicaWorld.id(), as: launch)
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .failed }
            #expect(replica.lastFailure?.contains("no program `no-such-model-server` in PATH") == true)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `an unknown variable is refused before anything is written`() async throws {
        let world = try ReplicaWorld()
        try await world.run { platform in
            var launch = world.launch()
            launch.runtime.environment["THREADS"] = "${parameters.threads}"
            let error = await #expect(throws: PlatformError.self) {
                try await platform.start(ReplicaWorld.id(), as: launch)
            }
            #expect(error?.code == .unknownVariable)
            #expect(error?.message.contains("${parameters.threads} in environment.THREADS") == true)
            let replicas = try await platform.replicas()
            #expect(replicas.isEmpty)
        }
    }

    @Test
    func `a port that somebody else listens on is left alone`() async throws {
        let world = try ReplicaWorld()
        let server = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/model_server.py").path
        let other = try DetachedProcess.spawn(
            SpawnRequest(
                executable: "python3",
                arguments: [
                    server, "--host", "0.0.0.0", "--port", "\(world.ports.lowerBound)", "--model-name", "other",
                    "--starts", "/dev/null",
                ],
                environment: ["PATH": "/usr/bin:/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"]
            )
        )
        defer { kill(-other.identity.pid, SIGKILL) }
        #expect(await eventually { Self.isListening(on: world.ports.lowerBound) })
        try await world.run { platform in
            for ordinal in 0..<3 { try await platform.start(ReplicaWorld.id(ordinal), as: world.launch()) }
            let ports = try await platform.replicas().compactMap(\.endpoint?.port)
            #expect(ports.sorted() == Array(world.ports.dropFirst()))
            let error = await #expect(throws: PlatformError.self) {
                try await platform.start(ReplicaWorld.id(3), as: world.launch())
            }
            #expect(error?.code == .noPort)
            for ordinal in 0..<3 { try await ReplicaWorld.stop(ordinal, of: platform) }
        }
    }

    private static func isListening(on port: Int) -> Bool {
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[1].hasSuffix(suffix) && fields[3] == "0A"
        }
    }

    @Test
    func `a ready replica that stops answering is not ready, and is again once it answers`() async throws {
        let world = try ReplicaWorld()
        let flag = world.folder.appending(path: "unready").path
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: world.launch("--unready-file", flag))
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(FileManager.default.createFile(atPath: flag, contents: nil))
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .starting }
            try FileManager.default.removeItem(atPath: flag)
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(replica.restarts == 0)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `a replica that does not answer for long is started again`() async throws {
        let world = try ReplicaWorld()
        let flag = world.folder.appending(path: "unready").path
        try await world.run { platform in
            let launch = world.launch("--unready-file", flag, startupTimeout: .seconds(3))
            try await platform.start(ReplicaWorld.id(), as: launch)
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(FileManager.default.createFile(atPath: flag, contents: nil))
            let replica = try await ReplicaWorld.wait(of: platform) { $0.restarts == 1 }
            let reason = try #require(replica.lastFailure)
            #expect(reason.hasPrefix("not ready again within 3s: GET /v2/models/magika/ready answered 503"))
            try await ReplicaWorld.stop(of: platform)
        }
    }
}

import Deployments
import Foundation
import Glibc
import LocalPlatform
import Reconciliation
import Testing

@Suite
struct `A controller that starts again` {
    /// Starts one replica under a first controller, which then ends.
    private static func firstController(_ world: ReplicaWorld, _ launch: ReplicaLaunch) async throws -> Replica {
        try await world.run { platform in
            try await platform.start(ReplicaWorld.id(), as: launch)
            return try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
        }
    }

    /// The one record, as the JSON that it is, changed by `change`.
    private static func editRecord(_ world: ReplicaWorld, _ change: (inout [String: Any]) -> Void) throws {
        let folder = world.folder.appending(path: "state/replicas")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let file = folder.appending(path: try #require(names.first))
        #expect(names.count == 1)
        let value = try JSONSerialization.jsonObject(with: try Data(contentsOf: file))
        var record = try #require(value as? [String: Any])
        change(&record)
        try JSONSerialization.data(withJSONObject: record).write(to: file)
    }

    @Test
    func `adopts a running replica as it was, and can stop it`() async throws {
        let world = try ReplicaWorld()
        let before = try await Self.firstController(world, world.launch())
        try await world.run { platform in
            // Ready at the first look: otherwise the router would send it nothing for a while.
            #expect(try await platform.replicas() == [before])
            try await platform.start(ReplicaWorld.id(), as: world.launch())
            let pid = try #require(world.startedProcesses.first)
            #expect(ReplicaWorld.isAlive(pid))
            try await ReplicaWorld.stop(of: platform)
            #expect(world.startedProcesses == [pid])
            #expect(!ReplicaWorld.isAlive(pid))
        }
    }

    @Test
    func `goes on draining what was being drained`() async throws {
        let world = try ReplicaWorld()
        _ = try await Self.firstController(world, world.launch())
        let before = try await world.run { platform in
            try await platform.drain(ReplicaWorld.id())
            return try await platform.replicas()
        }
        try await world.run { platform in
            #expect(try await platform.replicas() == before)
            #expect(before.first?.isDraining == true)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `finds a process whose identity the first one could not write down any more`() async throws {
        let world = try ReplicaWorld()
        // A child in another session carries the marker as well, and is not the replica.
        let before = try await Self.firstController(world, world.launch("--child", "session"))
        try Self.editRecord(world) { record in
            record["identity"] = nil
            record["phase"] = ["starting": [String: String]()]
        }
        try await world.run { platform in
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(replica == before)
            #expect(world.startedProcesses.count == 1)
            try await ReplicaWorld.stop(of: platform)
            #expect(!world.startedProcesses.contains(where: ReplicaWorld.isAlive))
        }
    }

    @Test
    func `starts what the first one only meant to start`() async throws {
        let world = try ReplicaWorld()
        // Never run: the record is written, nothing more.
        let platform = try await world.run { platform in platform }
        try await platform.start(ReplicaWorld.id(), as: world.launch())
        #expect(world.startedProcesses.isEmpty)
        try await world.run { platform in
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready }
            #expect(replica.restarts == 0)
            #expect(world.startedProcesses.count == 1)
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `starts a replica again that ended meanwhile, and ends what it left behind`() async throws {
        let world = try ReplicaWorld()
        _ = try await Self.firstController(world, world.launch("--child", "group", grace: .milliseconds(300)))
        let leader = try #require(world.startedProcesses.first)
        let children = world.children(of: leader)
        #expect(children.count == 1)
        kill(leader, SIGKILL)
        #expect(await eventually { !ReplicaWorld.isAlive(leader) })
        try await world.run { platform in
            let replica = try await ReplicaWorld.wait(of: platform) { $0.state == .ready && $0.restarts == 1 }
            #expect(replica.lastFailure == "ended while the controller was not running")
            #expect(!children.contains(where: ReplicaWorld.isAlive))
            try await ReplicaWorld.stop(of: platform)
        }
    }

    @Test
    func `does not take a process of another identity for its own`() async throws {
        let world = try ReplicaWorld()
        _ = try await Self.firstController(world, world.launch())
        let pid = try #require(world.startedProcesses.first)
        let bystander = try DetachedProcess.spawn(SpawnRequest(executable: "/bin/sleep", arguments: ["600"])).identity
        defer { kill(-bystander.pid, SIGKILL) }
        kill(pid, SIGKILL)
        try Self.editRecord(world) { record in
            record["identity"] = [
                "pid": Int(bystander.pid), "startTime": bystander.startTime + 1, "bootID": bystander.bootID,
            ]
        }
        try await world.run { platform in
            _ = try await ReplicaWorld.wait(of: platform) { $0.state == .ready && $0.restarts == 1 }
            try await ReplicaWorld.stop(of: platform)
            #expect(ReplicaWorld.isAlive(bystander.pid))
        }
    }

    @Test
    func `finishes a stop`() async throws {
        let world = try ReplicaWorld()
        _ = try await Self.firstController(world, world.launch("--ignore-term"))
        let pid = try #require(world.startedProcesses.first)
        try await world.run { platform in
            try await platform.stop(ReplicaWorld.id())
            #expect(try await platform.replicas().map(\.state) == [.stopping])
        }
        #expect(ReplicaWorld.isAlive(pid))
        try Self.editRecord(world) { record in
            guard var launch = record["launch"] as? [String: Any], var runtime = launch["runtime"] as? [String: Any]
            else { return }
            runtime["shutdown"] = ["drain": [0, 0], "grace": [0, 0]]
            launch["runtime"] = runtime
            record["launch"] = launch
        }
        try await world.run { platform in
            let isGone = try await eventually { try await platform.replicas().isEmpty }
            #expect(isGone)
        }
        #expect(!ReplicaWorld.isAlive(pid))
        #expect(world.startedProcesses == [pid])
    }

    @Test
    func `refuses to answer while a record cannot be read`() async throws {
        let world = try ReplicaWorld()
        let folder = world.folder.appending(path: "state/replicas")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("{".utf8).write(to: folder.appending(path: "broken.json"))
        try await world.run { platform in
            let error = await #expect(throws: PlatformError.self) { try await platform.replicas() }
            #expect(error?.code == .notObservable)
            #expect(error?.message.contains("broken.json") == true)
            try FileManager.default.removeItem(at: folder.appending(path: "broken.json"))
            #expect(try await platform.replicas() == [])
        }
    }
}

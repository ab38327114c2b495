import ControllerAPI
import Foundation
import Glibc
import Testing

/// What the machine has too little of is missed for a while; nothing that serves is.
extension IntegrationTests {
    @Test
    func `without file descriptors nothing is taken away, and what was merged is rolled out once there are some`()
        async throws
    {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)

            // No file, no socket and no child's pipe can be opened from here on.
            try await sandbox.limitDescriptors("3:")
            try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.untilLogged("poll failed", times: 3)
            #expect(sandbox.isControllerRunning, "\(sandbox.lastWords)")
            try await sandbox.limitDescriptors("4096:")

            try await sandbox.serves("2")
            let status = try #require(await sandbox.status())
            #expect(status.quarantined.isEmpty)
            #expect(await sandbox.fleet()?.deployments.count == 1)
            _ = try await load.endUnharmed()
        }
    }

    @Test(.enabled(if: getuid() == 0, "only root can mount a small disk"))
    func `a full disk keeps a merge waiting, takes nothing away, and says so until there is room`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.mountState(size: "48m")
            defer { sandbox.unmountState() }
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)

            let filler = "\(sandbox.state)/filler"
            try sandbox.fill(filler)
            let commit = try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.until("the source says what is missing") {
                await sandbox.fleet()?.sources.first?.problem?.contains("full") ?? false
            }
            let before = try #require(await sandbox.status())
            #expect(before.phase == "settled")
            #expect(before.stable?.modelVersion == "1")
            try FileManager.default.removeItem(atPath: filler)

            try await sandbox.serves("2")
            try await sandbox.until("the source is at \(commit)") {
                let source = await sandbox.fleet()?.sources.first
                return source?.commit == commit && source?.problem == nil
            }
            #expect(await sandbox.status()?.quarantined.isEmpty == true)
            _ = try await load.endUnharmed()
        }
    }

    @Test
    func `a lost journal takes no route away while git cannot be reached either, nor its clone`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)

            sandbox.killController()
            let files = FileManager.default
            for name in try files.contentsOfDirectory(atPath: sandbox.state)
            where name.hasPrefix("journal.sqlite") || name == "git" {
                try files.removeItem(atPath: "\(sandbox.state)/\(name)")
            }
            try files.moveItem(atPath: sandbox.remote, toPath: "\(sandbox.remote).away")
            try await sandbox.startController()
            try await sandbox.untilLogged("routes unchanged")
            #expect(await sandbox.fleet()?.unknown == ["default/echo"])
            try files.moveItem(atPath: "\(sandbox.remote).away", toPath: sandbox.remote)

            try await sandbox.serves("1")
            try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }
}

extension Sandbox {
    /// `soft:hard` as `prlimit` takes them, of the running controller.
    fileprivate func limitDescriptors(_ limits: String) async throws {
        let id = try #require(self.controllerID)
        let ended = try await Machine.run(
            try Machine.program("prlimit"),
            ["--pid", "\(id)", "--nofile=\(limits)"],
            environment: self.environment,
            at: self.folder
        )
        try #require(ended.status == 0, "\(ended.error)")
    }

    fileprivate func untilLogged(_ words: String, times: Int = 1) async throws {
        try await self.until("the log says '\(words)' \(times) times") {
            try String(contentsOfFile: self.log, encoding: .utf8).ranges(of: words).count >= times
        }
    }

    fileprivate func mountState(size: String) async throws {
        try FileManager.default.createDirectory(atPath: self.state, withIntermediateDirectories: false)
        let ended = try await Machine.run(
            try Machine.program("mount"),
            ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "tmpfs", self.state],
            environment: self.environment,
            at: self.folder
        )
        try #require(ended.status == 0, "\(ended.error)")
    }

    /// Without waiting for those who still have files open in it.
    fileprivate func unmountState() {
        if umount2(self.state, Int32(MNT_DETACH)) != 0 { Issue.record("\(self.state) stays mounted") }
    }

    /// Writes until there is no room left.
    fileprivate func fill(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        for size in [1 << 20, 4096, 1] {
            let bytes = [UInt8](repeating: 0, count: size)
            while Glibc.write(file, bytes, size) > 0 {}
        }
        try #require(errno == ENOSPC)
    }
}

import Foundation
import Glibc
import LocalPlatform
import Reconciliation
import Testing

@Suite
struct `Detached processes` {
    static func shell(_ script: String, log: String? = nil) -> SpawnRequest {
        SpawnRequest(executable: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/bin"], logFile: log)
    }

    @Test(
        arguments: [
            ("exit 0", ProcessExit.code(0)), ("exit 3", .code(3)), ("kill -ILL $$", .signal(SIGILL)),
        ]
    )
    func `the way a child ends is known`(script: String, exit: ProcessExit) async throws {
        let process = try DetachedProcess.spawn(Self.shell(script))
        #expect(await process.waitUntilExit() == exit)
        #expect(!process.isRunning)
        #expect(process.groupIsEmpty)
        #expect(await process.waitUntilExit() == exit)
    }

    @Test
    func `ends are told in words`() {
        #expect(ProcessExit.code(1).description == "exit code 1")
        #expect(ProcessExit.signal(SIGILL).description == "killed by SIGILL (illegal instruction)")
        #expect(ProcessExit.signal(SIGKILL).description == "killed by SIGKILL")
        #expect(ProcessExit.signal(63).description == "killed by signal 63")
    }

    @Test
    func `a child leaves no zombie behind even if nobody awaits its end`() async throws {
        let process = try DetachedProcess.spawn(Self.shell("exit 0"))
        #expect(await eventually { !process.isRunning })
        #expect(process.groupIsEmpty)
        #expect(kill(process.identity.pid, 0) == -1)
    }

    @Test
    func `a cancelled wait returns nothing and the process lives on`() async throws {
        let process = try DetachedProcess.spawn(Self.shell("sleep 600"))
        defer { kill(-process.identity.pid, SIGKILL) }
        let exit = await withTaskGroup(of: ProcessExit?.self) { group in
            group.addTask { await process.waitUntilExit() }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(exit == nil)
        #expect(process.isRunning)
    }

    @Test
    func `a process has a session of its own, no inherited descriptors and only the environment given`() async throws {
        let log = FileManager.default.temporaryDirectory.appending(path: "detached-\(UUID()).log")
        defer { try? FileManager.default.removeItem(at: log) }
        // No pipe behind `ls`: the shell itself would hold an end of it at that moment, or not.
        let process = try DetachedProcess.spawn(
            Self.shell("ls /proc/$$/fd; cut -d' ' -f5,6 /proc/$$/stat; echo $$; env", log: log.path)
        )
        #expect(await process.waitUntilExit() == .code(0))
        let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map(String.init)
        let pid = process.identity.pid
        #expect(lines.prefix(5) == ["0", "1", "2", "\(pid) \(pid)", "\(pid)"])
        #expect(Set(lines.dropFirst(5)) == ["PATH=/bin", "PWD=\(FileManager.default.currentDirectoryPath)"])
    }

    @Test
    func `a program that is being written is executed once it is whole`() async throws {
        let program = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID())")
        defer { try? FileManager.default.removeItem(at: program) }
        try Data("#!/bin/sh\nexit 5\n".utf8).write(to: program)
        chmod(program.path, 0o755)
        let descriptor = open(program.path, O_WRONLY | O_CLOEXEC)
        Thread.detachNewThread {
            usleep(50000)
            close(descriptor)
        }
        let process = try DetachedProcess.spawn(SpawnRequest(executable: program.path, environment: [:]))
        #expect(await process.waitUntilExit() == .code(5))
    }

    @Test
    func `a program that stays open for writing is told so, and worth another try`() throws {
        let program = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID())")
        defer { try? FileManager.default.removeItem(at: program) }
        try Data("#!/bin/sh\nexit 0\n".utf8).write(to: program)
        chmod(program.path, 0o755)
        let descriptor = open(program.path, O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let error = #expect(throws: PlatformError.self) {
            try DetachedProcess.spawn(SpawnRequest(executable: program.path, environment: [:]))
        }
        #expect(error?.message == "\(program.path): executing it: Text file busy")
        #expect(error?.recovery == .retry)
    }

    @Test
    func `a running process is adopted, an ended or another one is not`() async throws {
        let process = try DetachedProcess.spawn(Self.shell("sleep 600"))
        let adopted = try #require(DetachedProcess.adopt(process.identity))
        var other = process.identity
        other.startTime += 1
        #expect(DetachedProcess.adopt(other) == nil)
        other = process.identity
        other.bootID = "another boot"
        #expect(DetachedProcess.adopt(other) == nil)

        try adopted.signal(SIGKILL, group: true)
        #expect(await process.waitUntilExit() == .signal(SIGKILL))
        #expect(await adopted.waitUntilExit() == .signal(SIGKILL))
        #expect(DetachedProcess.adopt(process.identity) == nil)
    }

    @Test
    func `a process whose parent is another one is watched as well`() async throws {
        // The child of our child becomes init's, as ours do when the controller ends.
        let file = FileManager.default.temporaryDirectory.appending(path: "orphan-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        let parent = try DetachedProcess.spawn(Self.shell("(sleep 600; exit 7) & echo $! >\(file.path)"))
        #expect(await parent.waitUntilExit() == .code(0))
        let text = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let pid = try #require(Int32(text))
        let identity = try #require(ProcessIdentity(pid: pid))
        let orphan = try #require(DetachedProcess.adopt(identity))
        #expect(!parent.groupIsEmpty)

        try orphan.signal(SIGTERM)
        let exit = await orphan.waitUntilExit()
        #expect(exit == .signal(SIGTERM) || exit == .unknown)
        try parent.signal(SIGKILL, group: true)
        #expect(await eventually { parent.groupIsEmpty })
    }

    @Test
    func `a missing program, folder or log folder is refused at the start`() {
        let missing: [(SpawnRequest, String)] = [
            (SpawnRequest(executable: "no-such-program", environment: ["PATH": "/bin"]), "no-such-program"),
            (SpawnRequest(executable: "/no/such/program"), "/no/such/program"),
            (SpawnRequest(executable: "bin/sh"), "relative path"),
            (SpawnRequest(executable: "/bin/true", workingDirectory: "/no/such/folder"), "/no/such/folder"),
            (SpawnRequest(executable: "/bin/true", logFile: "/no/such/folder/log"), "/no/such/folder/log"),
            (SpawnRequest(executable: "/bin/true", arguments: ["a\0b"]), "NUL"),
        ]
        for (request, word) in missing {
            let error = #expect(throws: PlatformError.self) { try DetachedProcess.spawn(request) }
            #expect(error?.code == .spawnFailed)
            #expect(error?.recovery == .needsOperator)
            #expect(error?.message.contains(word) == true)
        }
    }

    @Test
    func `limits and the nice value reach the process`() async throws {
        let log = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID()).log")
        defer { try? FileManager.default.removeItem(at: log) }
        var request = Self.shell("ulimit -n; cut -d' ' -f19 /proc/$$/stat; cat /proc/$$/oom_score_adj", log: log.path)
        request.limits.openFiles = 99
        request.nice = 5
        request.oomScoreAdjustment = 321
        #expect(await (try DetachedProcess.spawn(request)).waitUntilExit() == .code(0))
        #expect(try String(contentsOf: log, encoding: .utf8) == "99\n5\n321\n")
    }
}

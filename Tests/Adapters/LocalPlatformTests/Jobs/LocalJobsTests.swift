import Foundation
import Glibc
import LocalPlatform
import Reconciliation
import Testing

@Suite("Jobs of gates", .timeLimit(.minutes(5)))
struct LocalJobsTests {
    /// A folder of programs, and one for their output.
    private final class Workplace {
        let folder = NSTemporaryDirectory() + "jobs-\(UUID().uuidString)"
        var jobs: LocalJobs { LocalJobs(programs: ["\(self.folder)/programs"], directory: "\(self.folder)/output") }

        init(_ script: String) throws {
            let programs = "\(self.folder)/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: "\(programs)/evaluate"))
            chmod("\(programs)/evaluate", 0o755)
            try Data("#!/bin/sh\nexit 0\n".utf8).write(to: URL(filePath: "\(self.folder)/outside"))
            chmod("\(self.folder)/outside", 0o755)
        }

        deinit {
            // Left-overs in the temporary folder harm nobody.
            try? FileManager.default.removeItem(atPath: self.folder)
        }
    }

    private func run(
        _ script: String,
        _ arguments: [String] = [],
        timeout: Duration = .seconds(60)
    ) async throws -> VerdictAnswer {
        let place = try Workplace(script)
        defer { withExtendedLifetime(place) {} }
        return await place.jobs.run(["evaluate"] + arguments, timeout: timeout)
    }

    @Test
    func `the exit code decides, and the last lines are shown`() async throws {
        #expect(try await self.run("echo one; echo two >&2; exit 0") == .pass("evaluate: one / two"))
        #expect(try await self.run("exit 1") == .fail("evaluate"))
        for (script, words) in [("echo oops; exit 2", "exit code 2: oops"), ("kill -SEGV $$", "SIGSEGV")] {
            guard case .unavailable(let message) = try await self.run(script) else {
                Issue.record("\(script)")
                continue
            }
            #expect(message.contains(words), "\(message)")
            #expect(message.hasSuffix("; 0 passes, 1 fails"))
        }
    }

    @Test
    func `an argument stays one argument, and reaches no shell`() async throws {
        let answer = try await self.run(#"printf '%s|' "$@""#, ["a b", "$(id)", "; exit 1", "*"])
        #expect(answer == .pass("evaluate: a b|$(id)|; exit 1|*|"))
    }

    @Test
    func `nothing of the daemon's environment is passed on`() async throws {
        setenv("CONTROLLER_TEST_SECRET", "hunter2", 1)
        defer { unsetenv("CONTROLLER_TEST_SECRET") }
        let answer = try await self.run("env | grep -c SECRET; echo $PATH")
        #expect(answer == .pass("evaluate: 0 / /usr/local/bin:/usr/bin:/bin"))
    }

    @Test
    func `one that does not end is ended with all that it started`() async throws {
        let marker = NSTemporaryDirectory() + "marker-\(UUID().uuidString)"
        defer { unlink(marker) }
        let script = "trap '' TERM; sleep 600 & echo $! > \(marker); echo busy; wait; sleep 600"
        guard case .unavailable(let message) = try await self.run(script, timeout: .seconds(2)) else {
            Issue.record()
            return
        }
        #expect(message.contains("has not ended within 2"))
        #expect(message.contains("busy"))
        let text = try String(contentsOfFile: marker, encoding: .utf8)
        let child = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await eventually { kill(child, 0) != 0 })
    }

    @Test
    func `what a program left running is ended when it has ended itself`() async throws {
        let marker = NSTemporaryDirectory() + "marker-\(UUID().uuidString)"
        defer { unlink(marker) }
        #expect(try await self.run("sleep 600 & echo $! > \(marker); exit 0") == .pass("evaluate"))
        let text = try String(contentsOfFile: marker, encoding: .utf8)
        let child = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await eventually { kill(child, 0) != 0 })
    }

    @Test
    func `much output is no trouble, and leaves nothing behind`() async throws {
        let place = try Workplace("head -c 5000000 /dev/zero | tr '\\0' 'x'; echo; echo done")
        guard case .pass(let message) = await place.jobs.run(["evaluate"], timeout: .seconds(60)) else {
            Issue.record()
            return
        }
        #expect(message.hasSuffix("done"))
        #expect(message.count < 500)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place.folder)/output").isEmpty)
    }

    @Test(arguments: ["outside", "../outside", "/bin/true", "true", "sh", ".", ""])
    func `a program of no allowed folder is refused`(name: String) async throws {
        let place = try Workplace("exit 0")
        defer { withExtendedLifetime(place) {} }
        #expect(await place.jobs.run(["evaluate"], timeout: .seconds(60)) == .pass("evaluate"))
        guard case .refused(let message) = await place.jobs.run([name], timeout: .seconds(9)) else {
            Issue.record("\(name)")
            return
        }
        #expect(message.contains("put it there, executable"))
    }

    @Test
    func `without folders every job is refused with the setting`() async throws {
        let jobs = LocalJobs(programs: [], directory: NSTemporaryDirectory())
        guard case .refused(let message) = await jobs.run(["true"], timeout: .seconds(9)) else {
            Issue.record()
            return
        }
        #expect(message.contains("`jobs`"))
    }
}

import CDescriptors
import Foundation
import Glibc
import Testing

struct DescriptorTests {
    @Test
    func `a program with more work than threads outlives that no descriptor is left`() async {
        // libdispatch looks at its threads while work waits for one, and would end the program: see CDescriptors.
        await #expect(processExitsWith: .success) {
            let start = ContinuousClock.now
            // Its timer needs a descriptor too, and is made by another thread some time after the first work came:
            // without it, nobody would ever look.
            while !DescriptorTests.hasTimer, .now < start + .seconds(120) { await Task.yield() }
            var limit = rlimit()
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            try #require(getrlimit(resource, &limit) == 0)
            limit.rlim_cur = 3
            try #require(setrlimit(resource, &limit) == 0)
            try #require(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE)

            let deadline = ContinuousClock.now + .seconds(120)
            await withDiscardingTaskGroup { tasks in
                for _ in 0..<64 {
                    tasks.addTask {
                        while ctl_looks_without_descriptor() == 0, .now < deadline { await Task.yield() }
                    }
                }
            }
            try #require(ctl_looks_without_descriptor() > 0)
        }
    }

    private static var hasTimer: Bool {
        // What is closed meanwhile is no timer.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.contains { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            return target?.contains("timerfd") ?? false
        }
    }

    @Test
    func `files are opened as the C library opens them`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }  // the machine's own cleaning would do it too
        let path = folder.appending(path: "made").path
        let made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        #expect(made > 2)
        #expect(close(made) == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        // The process's mask may take away more.
        #expect(mode.map { $0 & ~0o640 == 0 && $0 & 0o600 == 0o600 } == true)
        #expect(open(path, O_WRONLY | O_CREAT | O_EXCL, 0o640) == -1 && errno == EEXIST)
        #expect(open("\(path)/none", O_RDONLY) == -1 && errno == ENOTDIR)
        #expect(open("/proc/\(getpid())/stat", O_RDONLY | O_CLOEXEC) > 2)
        #expect(open("/proc/0/stat", O_RDONLY) == -1 && errno == ENOENT)
    }
}

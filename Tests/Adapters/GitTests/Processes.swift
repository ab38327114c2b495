import Foundation
import Glibc
import Testing

enum Processes {
    /// Waits until no process runs whose environment has this HOME, which each repository has for itself.
    static func expectNone(withHome home: String) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        var left: [Int32] = []
        repeat {
            left = try Self.running(withHome: home)
            if left.isEmpty { return }
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        Issue.record("processes \(left) outlived the deadline of their git")
    }

    /// Waits for the program `name` with this HOME, and kills it.
    static func kill(_ name: String, withHome home: String) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            for id in try Self.running(withHome: home) {
                // It may have ended since.
                let own = FileManager.default.contents(atPath: "/proc/\(id)/comm") ?? Data()
                if own == Data("\(name)\n".utf8), Glibc.kill(id, SIGKILL) == 0 { return }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("there was no \(name) to kill")
    }

    private static func running(withHome home: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            // A process may end between the listing and the reading.
            guard let id = Int32(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                data.split(separator: 0).contains(Data("HOME=\(home)".utf8))
            else { return nil }
            return id
        }
    }
}

import Foundation
import Testing

enum Processes {
    /// Waits until no process runs whose environment has this HOME, which each repository has for itself.
    static func expectNone(withHome home: String) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        var left: [String] = []
        repeat {
            left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                // A process may end between the listing and the reading.
                guard Int(name) != nil, let data = FileManager.default.contents(atPath: "/proc/\(name)/environ") else {
                    return false
                }
                return data.split(separator: 0).contains(Data("HOME=\(home)".utf8))
            }
            if left.isEmpty { return }
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        Issue.record("processes \(left) outlived the deadline of their git")
    }
}

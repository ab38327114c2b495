import Foundation
import Glibc

/// A value in the environment of a process, and of all that it starts, by which it is found again.
///
/// It is chosen and written down before the process starts. So a process whose identity nobody could write down any
/// more is found, and so are descendants that left its group.
struct ProcessMarker: Hashable, Codable, Sendable {
    static let variable = "CONTROLLER_REPLICA"

    /// Never used twice.
    let value: String

    init() {
        self.value = UUID().uuidString
    }

    init(from decoder: any Decoder) throws {
        self.value = try decoder.singleValueContainer().decode(String.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.value)
    }

    /// The running processes that carry the marker; nothing where none can be seen, which is not the same as none.
    /// Those of other users are not seen.
    func processes() -> [DetachedProcess]? {
        let text = Data("\(Self.variable)=\(self.value)".utf8)
        return ProcessStat.allProcesses()?.compactMap { pid in
            guard Self.environment(of: pid, contains: text), let identity = ProcessIdentity(pid: pid),
                let process = DetachedProcess.adopt(identity),
                // Once more, now that the descriptor holds the process: its number may have been reused.
                Self.environment(of: pid, contains: text), process.isRunning
            else { return nil }
            return process
        }
    }

    /// The process that was started with the marker, as opposed to what it started itself.
    func leader() -> DetachedProcess? {
        self.processes()?
            .filter { ProcessStat(pid: $0.identity.pid)?.session == $0.identity.pid }
            .min { $0.identity.startTime < $1.identity.startTime }
    }

    /// SIGKILL to all that carry the marker.
    ///
    /// - Returns: Whether none is left; `false` too when nobody can tell, or the task was cancelled meanwhile.
    func killAll() async -> Bool {
        // Again and again, as a process may start another between the look and the signal.
        for _ in 0..<100 {
            guard let found = self.processes() else { return false }
            if found.isEmpty { return true }
            for process in found {
                // One that may not be ended is still there at the end, which the result tells.
                try? process.signal(SIGKILL)
            }
            guard await pause(for: .milliseconds(20)) else { return false }
        }
        return self.processes()?.isEmpty ?? false
    }

    private static func environment(of pid: Int32, contains text: Data) -> Bool {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
        return bytes.split(separator: 0).contains(text)
    }
}

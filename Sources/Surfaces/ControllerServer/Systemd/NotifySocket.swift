// As in SocketClaim.swift: C's structs may be Dispatch's.
import CDispatch
import Glibc

/// Where a service manager wants to hear of this process: the datagram socket of sd_notify(3).
///
/// Each message is lines of `NAME=value`. Written here, as libsystemd would be one more library for so little.
package struct NotifySocket: Hashable, Sendable {
    /// An absolute path, or `@` and a name in the abstract namespace.
    let address: String
    /// How long the service manager waits for a sign of life; nothing when it does not watch.
    package let watchdog: Duration?

    package static let variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    /// Of the environment as the service manager made it; nothing when nobody wants to hear. The process is this one: a
    /// watchdog may be another's.
    package init?(environment: [String: String], process: Int32 = getpid()) {
        guard let address = environment["NOTIFY_SOCKET"], address.hasPrefix("/") || address.hasPrefix("@"),
            // The zero at the end of a path has no room in longer ones.
            (2...107).contains(address.utf8.count)
        else { return nil }
        self.address = address
        let isOurs = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        self.watchdog = isOurs && limit > 0 ? .microseconds(limit) : nil
    }

    /// Takes what this process was started with, and keeps it from what it starts: a replica that says `READY=1` would
    /// speak for the controller.
    package static func take(from environment: [String: String]) -> NotifySocket? {
        for name in Self.variables { unsetenv(name) }
        return NotifySocket(environment: environment)
    }

    /// - Returns: False when it did not arrive, as with a service manager that is being replaced: say it again.
    @discardableResult
    package func send(_ lines: [String]) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.copyBytes(from: self.address.utf8)
            // The abstract namespace begins with a zero.
            if self.address.hasPrefix("@") { path[0] = 0 }
        }
        // A path ends with a zero, an abstract name at the length that is given.
        let end = self.address.utf8.count + (self.address.hasPrefix("@") ? 0 : 1)
        let length = socklen_t(MemoryLayout<sa_family_t>.size + end)
        let message = Array(lines.joined(separator: "\n").utf8)
        // Nobody waits for a service manager that does not read.
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                sendto(descriptor, message, message.count, flags, generic, length)
            }
        }
        return sent == message.count
    }

    /// That a new configuration is being taken over: `READY=1` ends it.
    package func sendReloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        self.send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)", "STATUS=takes a new configuration over"])
    }

    package func sendStopping() {
        self.send(["STOPPING=1", "STATUS=ends; replicas and router go on"])
    }
}

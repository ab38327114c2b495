import Glibc
import Reconciliation

/// Gives out ports in turn, so that a port that was just given back is the last to be used again: the router may know
/// it for a moment longer.
package struct PortPool: Sendable {
    let host: String
    let range: ClosedRange<Int>
    private var next: Int

    init(host: String, range: ClosedRange<Int>) {
        self.host = host
        self.range = range
        self.next = range.lowerBound
    }

    /// Goes on after a port that is in use.
    mutating func skip(past port: Int) {
        guard self.range.contains(port) else { return }
        self.next = port == self.range.upperBound ? self.range.lowerBound : port + 1
    }

    /// A port that is not among `taken` and that nobody listens on.
    ///
    /// - Throws: `noPort`.
    mutating func take(except taken: Set<Int>) throws(PlatformError) -> Int {
        for _ in self.range {
            let port = self.next
            self.skip(past: port)
            if !taken.contains(port), Self.isFree(port, host: self.host) { return port }
        }
        throw PlatformError(
            code: .noPort,
            message: """
                no port from \(self.range.lowerBound) to \(self.range.upperBound) is free on \(self.host): \
                \(taken.count) belong to replicas, others to other programs; widen the range
                """,
            recovery: .wait(.seconds(10))
        )
    }

    /// Whether a server could listen there now.
    package static func isFree(_ port: Int, host: String) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // As servers do: connections that ended a moment ago do not keep the port.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 && listen(descriptor, 1) == 0
    }
}

import Glibc
import Synchronization

/// Ports for programs that cannot be given an open socket.
///
/// They are below those that the system gives to outgoing connections, any of which could take one before the program
/// does, and each is handed out once.
package enum FreePort {
    package struct None: Error {}

    private static let range = 10_000..<20_000
    private static let next = Mutex(Self.range.lowerBound + Int(getpid()) * 97 % Self.range.count)

    package static func take() throws -> UInt16 {
        for _ in Self.range {
            let port = Self.next.withLock { next in
                defer { next = next + 1 < Self.range.upperBound ? next + 1 : Self.range.lowerBound }
                return UInt16(next)
            }
            if Self.isFree(port) { return port }
        }
        throw None()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

import Foundation
import Glibc
import Testing

/// A service manager's end of sd_notify: a datagram socket at a path, or in the abstract namespace (`@name`).
final class DatagramSocket {
    private let descriptor: Int32

    init(_ address: String) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(self.descriptor >= 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { path in
            path.copyBytes(from: address.utf8)
            if address.hasPrefix("@") { path[0] = 0 }
        }
        let length = MemoryLayout<sa_family_t>.size + address.utf8.count + (address.hasPrefix("@") ? 0 : 1)
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(self.descriptor, generic, socklen_t(length))
            }
        }
        try #require(result == 0, "\(address): \(String(cString: strerror(errno)))")
    }

    deinit { close(self.descriptor) }

    /// The lines that came since the last call, one message after the other.
    func lines() -> [String] {
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return lines }
            lines += String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}

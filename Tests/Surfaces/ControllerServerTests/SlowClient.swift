import Glibc
import Testing

/// Somebody who keeps a connection busy.
final class SlowClient: Sendable {
    private let descriptor: Int32

    init(port: Int, beginning: String) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(self.descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        self.write(beginning)
    }

    deinit {
        close(self.descriptor)
    }

    @discardableResult
    private func write(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable {
            send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
        } ?? false
    }

    /// Fails when the connection stays.
    func dripUntilCutOff() async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            var byte: UInt8 = 0
            let count = recv(self.descriptor, &byte, 1, Int32(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN { return }
            self.write("x")
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the connection stays open")
    }
}

import Foundation
import Synchronization

/// A small HTTP/1.1 server for tests, on a free loopback port or a socket of the file system.
///
/// One thread accepts, one thread serves each connection; the handler decides what is answered, silence and broken
/// answers included.
package final class LoopbackServer: Sendable {
    package let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let handler: @Sendable (Request) -> Answer

    private struct State {
        var isStopped = false
        var connections: Set<Int32> = []
        var requests: [Request] = []
    }

    package struct Request: Sendable {
        package var method: String
        /// Path and query.
        package var target: String
        /// Lower-case names.
        package var headers: [String: String]
        package var body: [UInt8]
        /// Counts the server's connections; the same number means a reused one.
        package var connection: Int32
    }

    package enum Answer: Sendable {
        case status(Int, headers: [String: String] = [:], body: [UInt8] = [])
        /// Announces `length` bytes, sends fewer and closes.
        case truncated(Int, headers: [String: String] = [:], body: [UInt8], length: Int)
        /// Exactly these bytes, then the end of the connection.
        case raw([UInt8])
        /// Accepts and says nothing until the client or the server gives up.
        case silence

        package static func text(_ text: String, status: Int = 200, headers: [String: String] = [:]) -> Answer {
            .status(status, headers: headers, body: Array(text.utf8))
        }
    }

    package struct SocketError: Error, CustomStringConvertible {
        package var description: String
    }

    /// Listens on the socket of the file system when one is given, else on a port.
    ///
    /// - Throws: A `SocketError` when that is not possible.
    package init(
        unixSocket: String? = nil,
        handler: @escaping @Sendable (Request) -> Answer
    ) throws {
        self.handler = handler
        if let unixSocket {
            self.listener = try Self.listen(path: unixSocket)
            self.port = 0
        } else {
            (self.listener, self.port) = try Self.listenOnFreePort()
        }
        Thread.detachNewThread { [listener = self.listener, weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let server = self, server.admit(connection) else {
                    if connection >= 0 { close(connection) }
                    // Closed by nobody else: its number may soon be another server's listener.
                    close(listener)
                    return
                }
                Thread.detachNewThread { server.serve(connection) }
            }
        }
    }

    deinit {
        self.stop()
    }

    package var url: String { "http://127.0.0.1:\(self.port)" }

    /// What was asked so far.
    package var requests: [Request] { self.state.withLock { $0.requests } }

    /// Waits until `count` requests came; the test's own time limit ends the wait.
    package func untilAsked(_ count: Int) async {
        while self.requests.count < count, !Task.isCancelled {
            // Cancelled means that the loop ends as well.
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Ends the listener and every connection.
    package func stop() {
        self.state.withLock {
            guard !$0.isStopped else { return }
            $0.isStopped = true
            shutdown(self.listener, Int32(SHUT_RDWR))
            for connection in $0.connections {
                shutdown(connection, Int32(SHUT_RDWR))
            }
        }
    }

    private func admit(_ connection: Int32) -> Bool {
        self.state.withLock {
            guard !$0.isStopped else { return false }
            $0.connections.insert(connection)
            return true
        }
    }

    private func serve(_ connection: Int32) {
        defer {
            self.state.withLock { _ = $0.connections.remove(connection) }
            close(connection)
        }
        var reader = RequestReader(connection: connection)
        while let request = reader.next() {
            self.state.withLock { $0.requests.append(request) }
            switch self.handler(request) {
            case .status(let status, let headers, let body):
                let head = Self.head(status, headers, length: body.count)
                guard Self.send(head + (request.method == "HEAD" ? [] : body), to: connection) else { return }
            case .truncated(let status, let headers, let body, let length):
                _ = Self.send(Self.head(status, headers, length: length) + body, to: connection)
                return
            case .raw(let bytes):
                _ = Self.send(bytes, to: connection)
                return
            case .silence:
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            }
        }
    }

    private static func head(_ status: Int, _ headers: [String: String], length: Int) -> [UInt8] {
        var text = "HTTP/1.1 \(status) Status\r\nContent-Length: \(length)\r\n"
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            text += "\(name): \(value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    private static func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private static func listenOnFreePort() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(description: "socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port: Int? = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard
                    bind(descriptor, generic, length) == 0, Foundation.listen(descriptor, 128) == 0,
                    getsockname(descriptor, generic, &length) == 0
                else { return nil }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
        guard let port else { throw SocketError(description: "bind: errno \(errno)") }
        return (descriptor, port)
    }

    private static func listen(path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(description: "socket: errno \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SocketError(description: "the socket's path is too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, Foundation.listen(descriptor, 128) == 0 else {
            throw SocketError(description: "bind \(path): errno \(errno)")
        }
        return descriptor
    }
}

import Foundation
import Glibc
import Testing

/// A client that reads server-sent events from a unix socket as they come.
final class EventStream {
    struct Message: Hashable {
        var event: String
        var data: String
    }

    private let descriptor: Int32
    private var bytes: [UInt8] = []
    private var isHeadRead = false
    private(set) var head = ""
    /// The last `id` that was read.
    private(set) var place: String?
    private(set) var hasEnded = false

    init(_ socketPath: String, _ path: String, headers: [String: String] = [:]) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(self.descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0, "cannot connect to \(socketPath)")
        let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        let request = Array("GET \(path) HTTP/1.1\r\nHost: controller\r\n\(lines)\r\n".utf8)
        try #require(send(self.descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
    }

    deinit { close(self.descriptor) }

    /// Ends it from this side.
    func leave() { shutdown(self.descriptor, Int32(SHUT_RDWR)) }

    var status: Int? { self.head.split(separator: " ").dropFirst().first.flatMap { Int($0) } }

    /// Waits for the head of the answer.
    func open() async throws -> Int? {
        try await eventually("a head") {
            self.receive()
            return self.isHeadRead || self.hasEnded
        }
        return self.status
    }

    /// The messages up to the first one for which something is true.
    func messages(until isLast: (Message) -> Bool) async throws -> [Message] {
        var messages: [Message] = []
        try await eventually("the last message; so far \(messages.count)") {
            while let message = self.next() {
                messages.append(message)
                if isLast(message) { return true }
            }
            return self.hasEnded
        }
        return messages
    }

    /// The messages up to the first of an event.
    func messages(until event: String) async throws -> [Message] {
        try await self.messages { $0.event == event }
    }

    /// Reads on until a place is marked that is not `old`.
    func mark(after old: String? = nil) async throws -> String {
        try await eventually("a mark") {
            while self.place == nil || self.place == old { if self.next() == nil { break } }
            return self.place != nil && self.place != old
        }
        return try #require(self.place)
    }

    /// Reads and forgets all that comes until the other side has ended it.
    func readToEnd() async throws {
        try await eventually("the end") {
            self.receive()
            return self.hasEnded
        }
    }

    /// How many bytes of the body have come.
    private(set) var received = 0

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !self.hasEnded {
            let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                self.hasEnded = true
                return
            }
            self.received += count
            self.bytes += buffer[..<count]
            if !self.isHeadRead, let end = self.bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                self.head = String(decoding: self.bytes[..<end.lowerBound], as: UTF8.self)
                self.bytes.removeSubrange(..<end.upperBound)
                self.isHeadRead = true
            }
        }
    }

    private var text: [UInt8] = []

    /// Takes the chunks of the body apart.
    private func unwrap() {
        while self.isHeadRead, let end = self.bytes.firstRange(of: Array("\r\n".utf8)) {
            guard let size = Int(String(decoding: self.bytes[..<end.lowerBound], as: UTF8.self), radix: 16),
                self.bytes.count >= end.upperBound + size + 2
            else { return }
            self.text += self.bytes[end.upperBound..<(end.upperBound + size)]
            self.bytes.removeSubrange(..<(end.upperBound + size + 2))
        }
    }

    private func next() -> Message? {
        self.receive()
        self.unwrap()
        while let end = self.text.firstRange(of: Array("\n\n".utf8)) {
            let lines = String(decoding: self.text[..<end.lowerBound], as: UTF8.self).split(separator: "\n")
            self.text.removeSubrange(..<end.upperBound)
            let fields = lines.map { line in
                line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            }
            if let id = fields.first(where: { $0.first == "id" })?.last { self.place = id }
            guard let data = fields.first(where: { $0.first == "data" })?.last else { continue }
            return Message(event: fields.first { $0.first == "event" }?.last ?? "message", data: data)
        }
        return nil
    }
}

import Foundation

/// Reads the requests of one connection.
struct RequestReader {
    let connection: Int32
    private var buffer: [UInt8] = []

    init(connection: Int32) {
        self.connection = connection
    }

    /// Nothing when the client ended the connection.
    mutating func next() -> LoopbackServer.Request? {
        while true {
            if let end = self.buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: self.buffer[..<end.lowerBound], as: UTF8.self)
                var lines = head.components(separatedBy: "\r\n")
                let words = lines.removeFirst().split(separator: " ").map(String.init)
                guard words.count == 3 else { return nil }
                var headers: [String: String] = [:]
                for line in lines {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    guard parts.count == 2 else { continue }
                    headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                while self.buffer.count < end.upperBound + length {
                    guard self.fill() else { return nil }
                }
                let body = Array(self.buffer[end.upperBound..<(end.upperBound + length)])
                self.buffer.removeFirst(end.upperBound + length)
                return LoopbackServer.Request(
                    method: words[0],
                    target: words[1],
                    headers: headers,
                    body: body,
                    connection: self.connection
                )
            }
            guard self.fill() else { return nil }
        }
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.connection, &piece, piece.count, 0)
        guard count > 0 else { return false }
        self.buffer.append(contentsOf: piece[..<count])
        return true
    }
}

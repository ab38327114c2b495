import Foundation

/// The lines of a file or of stdin, one at a time.
struct LineReader {
    private let file: FileHandle
    private let path: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false
    private(set) var number = 0

    /// Bytes. A whole rollout with all the manifests of its history is much smaller.
    private static let limit = 64 << 20

    /// - Parameter path: `-` is stdin.
    /// - Throws: A `CommandFailure`.
    init(path: String) throws {
        self.path = path
        if path == "-" {
            self.file = .standardInput
        } else if let file = FileHandle(forReadingAtPath: path) {
            self.file = file
        } else {
            throw CommandFailure(code: .usage, message: "\(path) cannot be read: check its name and who may read it")
        }
    }

    /// - Returns: The next line without its end; nothing at the end of the file. An empty line is skipped.
    /// - Throws: A `CommandFailure`.
    mutating func next() throws -> [UInt8]? {
        while true {
            var searched = self.start
            while let end = self.buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(self.buffer[self.start..<end])
                self.number += 1
                self.start = end + 1
                searched = self.start
                if !line.isEmpty { return line }
            }
            if self.hasEnded {
                guard self.start < self.buffer.count else { return nil }
                self.number += 1
                defer { self.start = self.buffer.count }
                return Array(self.buffer[self.start...])
            }
            self.buffer.removeSubrange(..<self.start)
            self.start = 0
            guard self.buffer.count <= Self.limit else {
                throw CommandFailure(
                    code: .usage,
                    message: "\(self.path):\(self.number + 1): the line is longer than \(Self.limit >> 20) MiB: it is "
                        + "no file for this command"
                )
            }
            try self.read()
        }
    }

    private mutating func read() throws {
        let data: Data?
        do {
            data = try self.file.read(upToCount: 1 << 20)
        } catch {
            throw CommandFailure(code: .usage, message: "\(self.path) cannot be read: \(error.localizedDescription)")
        }
        if let data, !data.isEmpty { self.buffer += data } else { self.hasEnded = true }
    }
}

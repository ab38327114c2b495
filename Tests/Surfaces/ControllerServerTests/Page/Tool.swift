import Foundation

/// A program that judges what was made.
enum Tool {
    /// - Returns: The exit status and what was said.
    static func run(_ name: String, _ arguments: [String], input: String = "") async throws -> (Int32, String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "page-tool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (given, said) = (folder.appending(path: "input"), folder.appending(path: "output"))
        try Data(input.utf8).write(to: given)
        try Data().write(to: said)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardInput = try FileHandle(forReadingFrom: given)
        let output = try FileHandle(forWritingTo: said)
        (process.standardOutput, process.standardError) = (output, output)
        let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        return (status, try String(contentsOf: said, encoding: .utf8))
    }
}

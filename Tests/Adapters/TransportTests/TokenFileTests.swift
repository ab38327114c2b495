import Foundation
import Testing
import Transport

@Suite("Token files")
struct TokenFileTests {
    private func read(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "token-" + UUID().uuidString
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        // Whatever stays behind is in the temporary folder.
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try TokenFile.read(path)
    }

    @Test(arguments: ["hunter2", "hunter2\n", " hunter2 \r\n", "hunter2\nhunter3\n"])
    func `the first line is the token`(text: String) throws {
        #expect(try self.read(text) == "hunter2")
    }

    @Test(arguments: ["", "\n", "  \nhunter2", "two words\n", "hünter", "\u{1B}[2J"])
    func `what is no token is told without its words`(text: String) throws {
        let error = try #require(throws: TokenFile.Missing.self) { try self.read(text) }
        #expect(error.text.contains("holds no token"))
        #expect(!error.text.contains("hunter2"))
    }

    @Test
    func `a file without end is not read to its end`() throws {
        #expect(throws: TokenFile.Missing.self) { try TokenFile.read("/dev/zero") }
        let error = try #require(throws: TokenFile.Missing.self) { try TokenFile.read("/nonexistent/token") }
        #expect(error.text.contains("/nonexistent/token cannot be read"))
    }
}

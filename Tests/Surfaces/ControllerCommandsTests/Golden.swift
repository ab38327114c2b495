import Foundation
import Testing

/// Compares text with a file beside the tests. `UPDATE_GOLDEN=1 swift test` writes the files anew.
enum Golden {
    static func expect(_ text: String, is name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
            return
        }
        let wanted = try String(contentsOf: file, encoding: .utf8)
        #expect(text == wanted, "\(file.lastPathComponent) differs", sourceLocation: sourceLocation)
    }
}

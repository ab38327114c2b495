import Foundation

/// The repository's own files, as the tidy tests read them.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File {
        var path: String
        var lines: [Substring]

        func isComment(_ line: Substring) -> Bool {
            line.drop(while: { $0 == " " }).hasPrefix("//")
        }
    }

    static func files(under folder: String, ending suffix: String) throws -> [File] {
        let base = Self.root.appending(path: folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(suffix) }
        return try names.sorted().map { name in
            let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
            return File(
                path: "\(folder)/\(name)",
                lines: text.split(separator: "\n", omittingEmptySubsequences: false)
            )
        }
    }

    static func sources() throws -> [File] {
        try Self.files(under: "Sources", ending: ".swift")
    }
}

import Foundation
import Manifests

/// The serving runtimes that come with the product.
enum ShippedRuntimes {
    /// - Throws: A `StartFailure` when a folder cannot be listed, or what ails a file.
    static func read(_ folders: [String]) throws -> [SourceFile] {
        var files: [SourceFile] = []
        for folder in folders {
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
            } catch {
                throw StartFailure("`runtimes` names \(folder), which can't be read: create it, or take it out")
            }
            for name in names.sorted() {
                let path = "\(folder)/\(name)"
                let bytes = try Data(contentsOf: URL(filePath: path))
                files.append(SourceFile(path: path, blob: path, bytes: Array(bytes)))
            }
        }
        return files
    }
}

import Foundation
import Glibc

/// Writes imported manifests into a folder, a file each.
struct ImportFolder {
    let path: String
    /// Whether files that are there are written anew.
    let replaces: Bool

    /// Writes all of them, or, when one is there already, none. Each file is there only once it is whole.
    ///
    /// - Throws: A `CommandFailure` of usage.
    func write(_ manifests: [ImportedManifest]) throws {
        let files = manifests.map { (path: "\(self.path)/\($0.file)", text: "# From \($0.from)\n\($0.yaml)") }
        if !self.replaces {
            let present = files.map(\.path).filter { path in
                var status = stat()
                return lstat(path, &status) == 0
            }
            guard present.isEmpty else {
                let shown = present.prefix(3).joined(separator: ", ") + (present.count > 3 ? ", …" : "")
                throw CommandFailure(
                    code: .usage,
                    message: "nothing is written, as this is there already: \(shown); choose another folder, or --force"
                )
            }
        }
        for file in files { try self.write(file.text, to: file.path) }
    }

    private func write(_ text: String, to path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(code: .usage, message: "cannot make \(folder.path): \(error.localizedDescription)")
        }
        let partial = "\(path).\(getpid()).partial"
        do {
            try Data(text.utf8).write(to: URL(filePath: partial), options: .withoutOverwriting)
        } catch {
            throw CommandFailure(code: .usage, message: "cannot write \(partial): \(error.localizedDescription)")
        }
        // A link fails where a file has appeared in the meantime; renaming would replace it.
        let result = self.replaces ? rename(partial, path) : link(partial, path)
        let code = errno
        if result != 0 || !self.replaces { unlink(partial) }
        guard result == 0 else {
            throw CommandFailure(code: .usage, message: "\(path) cannot be written: \(String(cString: strerror(code)))")
        }
    }
}

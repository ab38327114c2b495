import Glibc
import Reconciliation

/// A file or directory on this machine that manifests may name.
struct SourceTree {
    /// Without symbolic links.
    let path: String
    let isDirectory: Bool
    private let roots: [String]

    /// - Throws: `refused` when the path, links resolved, lies under none of `roots`.
    init(path: String, roots: [String]) throws(ArtifactError) {
        var resolved: [String] = []
        for root in roots {
            // A root that does not exist permits nothing.
            if let real = Self.real(root) { resolved.append(real) }
        }
        let error = ArtifactError(
            code: .refused,
            message: "file://\(path) is under none of the folders that manifests may name"
                + (roots.isEmpty ? "; set artifacts.fileRoots" : " (\(roots.joined(separator: ", ")))"),
            recovery: .needsOperator
        )
        // Before anything is said about the path: whether a file exists elsewhere is no business of a manifest.
        guard roots.contains(where: { Self.isUnder(path, $0) || Self.isUnder(path, Self.real($0) ?? $0) }) else {
            throw error
        }
        guard let real = Self.real(path) else { throw .system("open", path) }
        guard resolved.contains(where: { Self.isUnder(real, $0) }) else { throw error }
        guard let status = try FileStatus(of: real) else { throw .system("open", real) }
        self.path = real
        self.isDirectory = status.isDirectory
        self.roots = resolved
    }

    /// Copies every file. A symbolic link to a file under the same roots becomes a file.
    func copy(into tree: inout TreeWriter, progress: FetchProgress) async throws(ArtifactError) {
        var pending = [""]
        while let folder = pending.popLast() {
            for name in try Folder.names(in: folder.isEmpty ? self.path : "\(self.path)/\(folder)") {
                try await ArtifactError.checkpoint()
                let relative = folder.isEmpty ? name : "\(folder)/\(name)"
                guard let path = try MemberPath(relative.utf8) else { continue }
                let place = try self.resolve("\(self.path)/\(relative)")
                guard let status = try FileStatus(of: place) else { throw .system("open", place) }
                if status.isDirectory, place == "\(self.path)/\(relative)" {
                    try tree.addFolder(path)
                    pending.append(relative)
                } else {
                    let source = SourceFile(file: try OpenFile(reading: place))
                    try await tree.addFile(path, isExecutable: status.isExecutable) { () throws(ArtifactError) in
                        try source.file.read()
                    }
                }
                progress.update(received: tree.bytes, total: nil)
            }
        }
    }

    /// A class, so that a closure can hold the open file.
    private final class SourceFile {
        let file: OpenFile
        init(file: consuming OpenFile) { self.file = file }
    }

    private func resolve(_ path: String) throws(ArtifactError) -> String {
        guard let status = try FileStatus(of: path), status.isLink else { return path }
        guard let real = Self.real(path) else { throw .system("follow the link", path) }
        guard self.roots.contains(where: { Self.isUnder(real, $0) }) else {
            throw ArtifactError(
                code: .refused,
                message: "\(path) is a link to outside of the folders that manifests may name; copy the file itself "
                    + "(cp -L)",
                recovery: .needsOperator
            )
        }
        return real
    }

    private static func isUnder(_ path: String, _ root: String) -> Bool {
        let root = root.hasSuffix("/") ? root : root + "/"
        return path.hasPrefix(root) || path + "/" == root
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }
}

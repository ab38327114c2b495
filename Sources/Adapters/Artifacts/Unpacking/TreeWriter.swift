import Crypto
import Glibc
import Reconciliation

/// Writes the files of one artifact into a fresh folder, within limits, and hashes them on the way.
///
/// Nothing but regular files and folders is ever created, so no path can lead out through a link.
struct TreeWriter {
    let root: String
    private let limits: Limits
    private(set) var files: [MemberPath: TreeFile] = [:]
    private var folders: Set<String> = []
    private var links: [MemberPath: String] = [:]
    private(set) var bytes: Int64 = 0

    struct Limits: Hashable, Sendable {
        var bytes: Int64
        var files: Int
    }

    /// The folder must not exist yet.
    init(root: String, limits: Limits) throws(ArtifactError) {
        self.root = root
        self.limits = limits
        guard mkdir(root, 0o755) == 0 else { throw .system("create", root) }
    }

    mutating func addFolder(_ path: MemberPath) throws(ArtifactError) {
        for folder in path.parents + [path.description] where !self.folders.contains(folder) {
            guard self.folders.count < self.limits.files else { throw self.tooMany }
            guard mkdir("\(self.root)/\(folder)", 0o755) == 0 else {
                if errno == EEXIST { throw Self.twice(path) }
                throw .system("create", "\(self.root)/\(folder)")
            }
            self.folders.insert(folder)
        }
    }

    /// Writes one file from the pieces that `next` gives until it gives none.
    mutating func addFile(
        _ path: MemberPath,
        isExecutable: Bool,
        next: () throws(ArtifactError) -> [UInt8]
    ) async throws(ArtifactError) {
        try self.prepare(path)
        let file = try OpenFile(creating: "\(self.root)/\(path)")
        var hash = SHA256()
        var count: Int64 = 0
        while true {
            try await ArtifactError.checkpoint()
            let piece = try next()
            if piece.isEmpty { break }
            guard self.bytes + Int64(piece.count) <= self.limits.bytes else { throw self.tooLarge }
            self.bytes += Int64(piece.count)
            count += Int64(piece.count)
            hash.update(data: piece)
            try file.write(piece)
        }
        try file.seal(executable: isExecutable)
        let modified = try file.status().modified
        self.files[path] = TreeFile(digest: hash.finalize().hexadecimal, bytes: count, modified: modified)
    }

    /// Takes a file that lies on the same file system as the folder.
    mutating func addFile(_ path: MemberPath, moving source: String) async throws(ArtifactError) {
        try self.prepare(path)
        let file = try OpenFile(reading: source)
        var hash = SHA256()
        var count: Int64 = 0
        while case let piece = try file.read(), !piece.isEmpty {
            try await ArtifactError.checkpoint()
            count += Int64(piece.count)
            guard self.bytes + count <= self.limits.bytes else { throw self.tooLarge }
            hash.update(data: piece)
        }
        self.bytes += count
        try file.seal()
        try Folder.rename(source, to: "\(self.root)/\(path)")
        let modified = try file.status().modified
        self.files[path] = TreeFile(digest: hash.finalize().hexadecimal, bytes: count, modified: modified)
    }

    /// A symbolic link, which becomes another name of the file that it points to when all files are known.
    mutating func addLink(_ path: MemberPath, to target: String) throws(ArtifactError) {
        guard self.links.count < self.limits.files else { throw self.tooMany }
        guard path.resolving(link: target) != nil else {
            throw ArtifactError(
                code: .badArchive,
                message: "the artifact has the link \(path) to \(target.prefix(100)), which leaves its root; "
                    + "pack it anew with the file itself (tar --dereference)",
                recovery: .needsOperator
            )
        }
        guard self.links.updateValue(target, forKey: path) == nil else { throw Self.twice(path) }
    }

    /// Another name of a file that is already there.
    mutating func addName(_ path: MemberPath, of original: MemberPath) throws(ArtifactError) {
        guard let file = self.files[original] else {
            throw ArtifactError(
                code: .badArchive,
                message: "the artifact has the link \(path) to \(original), which is no file in it; "
                    + "pack it anew with the file itself (tar --dereference)",
                recovery: .needsOperator
            )
        }
        try self.prepare(path)
        let target = "\(self.root)/\(path)"
        guard link("\(self.root)/\(original)", target) == 0 else { throw .system("create", target) }
        self.files[path] = file
    }

    /// Resolves the links and brings the folders to the disk.
    mutating func finish() throws(ArtifactError) {
        for (path, _) in self.links.sorted(by: { $0.key < $1.key }) {
            var target = path
            // A chain longer than this is a circle, for our purposes.
            for _ in 0..<16 {
                guard let next = self.links[target], let resolved = target.resolving(link: next) else { break }
                target = resolved
            }
            try self.addName(path, of: target)
        }
        guard !self.files.isEmpty else {
            throw ArtifactError(
                code: .badArchive,
                message: "the artifact has no files; check what the model's uri points to",
                recovery: .needsOperator
            )
        }
        for folder in self.folders.sorted(by: >) {
            try Folder.sync("\(self.root)/\(folder)")
        }
        try Folder.sync(self.root)
    }

    private mutating func prepare(_ path: MemberPath) throws(ArtifactError) {
        guard self.files.count < self.limits.files else { throw self.tooMany }
        guard self.files[path] == nil, !self.folders.contains(path.description) else { throw Self.twice(path) }
        if let parent = path.resolving(link: "."), parent != path {
            try self.addFolder(parent)
        }
    }

    private static func twice(_ path: MemberPath) -> ArtifactError {
        ArtifactError(
            code: .badArchive,
            message: "the artifact has \(path) twice; pack it anew",
            recovery: .needsOperator
        )
    }

    private var tooMany: ArtifactError {
        ArtifactError(
            code: .tooLarge,
            message: "the artifact has more than \(self.limits.files) files; pack fewer",
            recovery: .needsOperator
        )
    }

    private var tooLarge: ArtifactError {
        ArtifactError(
            code: .tooLarge,
            message: "the artifact is larger than \(self.limits.bytes) bytes; raise artifacts.maxSize",
            recovery: .needsOperator
        )
    }
}

/// One file of an artifact.
struct TreeFile: Hashable, Codable, Sendable {
    /// SHA-256, 64 hexadecimal digits.
    var digest: String
    var bytes: Int64
    /// Nanoseconds since 1970.
    var modified: Int64
}

extension [MemberPath: TreeFile] {
    /// The digest of a directory: SHA-256 over the lines `<sha256>  <path>\n`, sorted by the bytes of the path.
    var treeDigest: String {
        var hash = SHA256()
        for (path, file) in self.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Array("\(file.digest)  \(path)\n".utf8))
        }
        return hash.finalize().hexadecimal
    }
}

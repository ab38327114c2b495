import Foundation
import Glibc
import Manifests

/// The manifests under the paths of a command line, and the files that they may name.
///
/// It takes what the controller would take from a commit: files ending in `.yaml`, `.yml`, `.json` and `.jsonl`, no
/// hidden ones, no symbolic links.
struct ManifestFiles {
    private(set) var files: [SourceFile] = []
    /// How a path was written on the command line, by the path that the reader sees.
    private(set) var shown: [String: String] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private let limits: ManifestLimits

    /// A repository with more is a wrong path, such as `/`.
    private static let maxFiles = 20_000
    private static let maxBytes = 256 << 20
    private var bytes = 0

    /// Reads every path.
    ///
    /// - Parameters:
    ///   - paths: Files, and folders of them.
    ///   - withDefaults: Also each `defaults.yaml` above a path, up to the root of its git repository: what the daemon
    ///     lays below the manifests, when it watches all of that.
    ///   - limits: For each file.
    /// - Throws: A `CommandFailure` of usage when a path does not exist, cannot be read, or holds far too much.
    init(paths: [String], withDefaults: Bool = false, limits: ManifestLimits = ManifestLimits()) throws {
        self.limits = limits
        for path in paths { try self.add(path) }
        for path in withDefaults ? paths : [] { try self.addDefaults(of: path) }
    }

    var manifestCount: Int { self.files.count { Self.isManifest($0.path) } }

    /// How people know the file.
    func shownPath(_ path: String) -> String { self.shown[path] ?? path }

    private mutating func add(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw Self.missing(path, errno)
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            try self.addFolder(path, where: { _ in true })
            return
        }
        guard Self.isManifest(path) else {
            throw CommandFailure(
                code: .usage,
                message: "\(path) is no manifest: its name must end in .yaml or .yml, or it must be a folder"
            )
        }
        try self.read(path)
        // What the manifest names lies beside it or below.
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) : "."
        try self.addFolder(folder.isEmpty ? "/" : folder, where: { !Self.isManifest($0) })
    }

    private static func missing(_ path: String, _ code: Int32) -> CommandFailure {
        let shown = path.isEmpty ? "the empty path" : path
        return CommandFailure(
            code: .usage,
            message: code == ENOENT
                ? "\(shown) does not exist: name a manifest, or a folder of manifests, as seen from here ("
                    + "\(FileManager.default.currentDirectoryPath))"
                : "\(shown) cannot be read: \(String(cString: strerror(code))): check its name and who may read it"
        )
    }

    private mutating func addFolder(_ folder: String, where isWanted: (String) -> Bool) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw CommandFailure(code: .usage, message: "cannot list \(folder): \(error.localizedDescription)")
        }
        for name in names where !name.hasPrefix(".") {
            let path = folder == "." ? name : folder + (folder.hasSuffix("/") ? "" : "/") + name
            var status = stat()
            // A file that vanished since the listing is as if it had never been.
            guard lstat(path, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try self.addFolder(path, where: isWanted)
            case S_IFREG where Self.extensions.contains(where: path.hasSuffix) && isWanted(path): try self.read(path)
            case S_IFLNK where Self.isManifest(path) && isWanted(path):
                self.diagnostics.append(Self.symbolicLink(path))
            default: break
            }
        }
    }

    private mutating func addDefaults(of path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let url = URL(filePath: path).standardizedFileURL
        var folders = [status.st_mode & S_IFMT == S_IFDIR ? url : url.deletingLastPathComponent()]
        let inner = folders[0]
        while let last = folders.last, last.path != "/", !Self.isRepository(last) {
            folders.append(last.deletingLastPathComponent())
        }
        // Outside of a repository, nothing says where a search would have to end.
        if let last = folders.last, !Self.isRepository(last) { folders = [inner] }
        let here = FileManager.default.currentDirectoryPath + "/"
        for (distance, folder) in folders.enumerated() {
            let full = folder.appending(path: ManifestReader.defaultsName).path
            // Named as the author named the others.
            let name = !path.hasPrefix("/") && full.hasPrefix(here) ? String(full.dropFirst(here.count)) : full
            guard lstat(name, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                let count = self.files.count
                try self.read(name)
                // Other tools have files of this name too, and nobody said that those above are manifests.
                if distance > 0, self.files.count > count, !Self.isOfDefaults(self.files[count]) {
                    self.shown[self.files[count].path] = nil
                    self.files.removeLast()
                }
            case S_IFLNK where distance == 0 && !self.diagnostics.contains(Self.symbolicLink(name)):
                self.diagnostics.append(Self.symbolicLink(name))
            default: break
            }
        }
    }

    private static func isOfDefaults(_ file: SourceFile) -> Bool {
        file.bytes.firstRange(of: Array(ManifestKind.modelDeploymentDefaults.rawValue.utf8)) != nil
    }

    private static func isRepository(_ folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: ".git").path)
    }

    private static let extensions = [".yaml", ".yml", ".json", ".jsonl"]

    private static func isManifest(_ path: String) -> Bool {
        path.hasSuffix(".yaml") || path.hasSuffix(".yml")
    }

    private static func symbolicLink(_ path: String) -> Diagnostic {
        Diagnostic(
            path: path,
            line: 0,
            column: 0,
            field: "",
            message: "symbolic links are not followed: commit the file itself"
        )
    }

    /// One byte more than the reader accepts, so that it says itself what is too large.
    private var maxFileBytes: Int { max(self.limits.fileBytes, self.limits.goldenBytes) + 1 }

    private mutating func read(_ path: String) throws {
        let key = Self.key(of: path)
        guard self.shown[key] == nil else { return }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer {
                do {
                    try handle.close()
                } catch {
                    // It was only read: nothing can be lost.
                }
            }
            data = try handle.read(upToCount: self.maxFileBytes) ?? Data()
        } catch {
            throw CommandFailure(code: .usage, message: "cannot read \(path): \(error.localizedDescription)")
        }
        self.bytes += data.count
        guard self.files.count < Self.maxFiles, self.bytes <= Self.maxBytes else {
            throw CommandFailure(
                code: .usage,
                message: "more than \(Self.maxFiles) files or \(Self.maxBytes >> 20) MiB of manifests: name the folder "
                    + "that holds them more exactly"
            )
        }
        self.shown[key] = path
        self.files.append(SourceFile(path: key, blob: "", bytes: [UInt8](data)))
    }

    /// The path without `.` and `..` and without a leading `/`, as paths in a commit are, so that manifests can name
    /// files beside them.
    private static func key(of path: String) -> String {
        String(URL(filePath: path).standardizedFileURL.path.drop { $0 == "/" })
    }
}

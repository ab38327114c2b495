package import Foundation
import Glibc
import Manifests

/// The files of a command line that are to be imported.
///
/// Of folders it takes `.yaml`, `.yml` and `.json`, no hidden files, no symbolic links. A file that is named is read
/// whatever its name is.
package struct ImportSources {
    package private(set) var files: [(path: String, bytes: [UInt8])] = []
    private var bytes = 0

    /// A repository with more is a wrong path, such as `/`.
    private static let maxFiles = 20_000
    private static let maxBytes = 256 << 20

    /// What `kubectl get --all-namespaces -o yaml` says of a large cluster, in one document. Beyond, it is refused.
    static let limits = ManifestLimits(fileBytes: 16 << 20, documents: 10_000, depth: 128, nodes: 1_000_000)

    /// - Parameters:
    ///   - paths: Files and folders; `-` is stdin.
    ///   - standardInput: Where stdin comes from.
    /// - Throws: A `CommandFailure` of usage when a path cannot be read, or holds far too much.
    package init(paths: [String], standardInput: FileHandle = .standardInput) throws {
        for path in paths { try self.add(path, standardInput: standardInput) }
    }

    private mutating func add(_ path: String, standardInput: FileHandle) throws {
        if path == "-" {
            if !self.files.contains(where: { $0.path == "-" }) { try self.read(standardInput, path: "-") }
            return
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw CommandFailure(
                code: .usage,
                message: "\(path.isEmpty ? "the empty path" : path) cannot be read: "
                    + "\(String(cString: strerror(errno))): check its name and who may read it"
            )
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            try self.addFolder(path)
        } else {
            try self.read(path)
        }
    }

    private mutating func addFolder(_ folder: String) throws {
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
            case S_IFDIR: try self.addFolder(path)
            case S_IFREG where [".yaml", ".yml", ".json"].contains(where: path.hasSuffix): try self.read(path)
            default: break
            }
        }
    }

    private mutating func read(_ path: String) throws {
        guard !self.files.contains(where: { $0.path == path }) else { return }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure(code: .usage, message: "\(path) cannot be read: check who may read it")
        }
        defer {
            do {
                try handle.close()
            } catch {
                // It was only read: nothing can be lost.
            }
        }
        try self.read(handle, path: path)
    }

    private mutating func read(_ handle: FileHandle, path: String) throws {
        // One byte more than is accepted, so that the reader says itself what is too large.
        let limit = Self.limits.fileBytes + 1
        var data = Data()
        do {
            // A pipe gives what it has, not what is asked for.
            while data.count < limit, let more = try handle.read(upToCount: limit - data.count), !more.isEmpty {
                data += more
            }
        } catch {
            throw CommandFailure(code: .usage, message: "cannot read \(path): \(error.localizedDescription)")
        }
        self.bytes += data.count
        guard self.files.count < Self.maxFiles, self.bytes <= Self.maxBytes else {
            throw CommandFailure(
                code: .usage,
                message: "more than \(Self.maxFiles) files or \(Self.maxBytes >> 20) MiB: name the folder that holds "
                    + "what is to be imported more exactly"
            )
        }
        self.files.append((path, [UInt8](data)))
    }
}

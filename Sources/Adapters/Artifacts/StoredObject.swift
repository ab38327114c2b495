/// What the cache knows of one verified artifact; kept beside it as `object.json`.
struct StoredObject: Hashable, Codable, Sendable {
    enum Kind: String, Hashable, Codable, Sendable {
        case file
        case directory
        /// A directory, unpacked from the archive whose digest this is.
        case archive
    }

    /// SHA-256, 64 hexadecimal digits.
    var digest: String
    var kind: Kind
    /// Of the content beside the record.
    var name: String
    var bytes: Int64
    /// Every file by its path below the content; a lone file by its name.
    var files: [String: TreeFile]

    static let recordName = "object.json"
    static let folderName = "files"

    /// The folder's name. An archive's content is apart from a file of the same bytes.
    var id: String { Self.id(digest: self.digest, kind: self.kind) }

    static func id(digest: String, kind: Kind) -> String {
        kind == .archive ? "\(digest).unpacked" : digest
    }

    /// Whether every file still has the size and the time of change that it had when its digest was verified.
    func isIntact(in folder: String) throws(ArtifactError) -> Bool {
        for (path, file) in self.files {
            let place = self.kind == .file ? "\(folder)/\(path)" : "\(folder)/\(self.name)/\(path)"
            guard
                let status = try FileStatus(of: place), status.isRegular,
                status.bytes == file.bytes, status.modified == file.modified
            else { return false }
        }
        return true
    }
}

/// A verified artifact that is not in the cache yet.
struct StagedObject: Sendable {
    var object: StoredObject
    /// The folder with the record and the content.
    var folder: String
    /// Of a registered model.
    var version: Int?
}

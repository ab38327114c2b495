import Foundation

/// The operator's files of whom to trust, as they are now.
///
/// They are read for each verification, so a key that is added or revoked counts from the next poll on.
struct KeyFiles: Hashable, Sendable {
    enum File: Hashable, Sendable {
        case unset
        case unreadable(path: String)
        case read(path: String, bytes: [UInt8])
    }

    var allowedSigners: File
    var revokedKeys: File
    var gpgKeyring: File

    /// Some thousands of keys.
    private static let limit = 8 << 20

    init(_ rules: SignatureRules) {
        self.allowedSigners = Self.file(rules.allowedSignersFile)
        self.revokedKeys = Self.file(rules.revokedKeysFile)
        self.gpgKeyring = Self.file(rules.gpgKeyring)
    }

    /// The first that cannot be used.
    var unreadable: String? {
        for file in [self.allowedSigners, self.revokedKeys, self.gpgKeyring] {
            if case .unreadable(let path) = file { return path }
        }
        return nil
    }

    private static func file(_ path: String?) -> File {
        guard let path else { return .unset }
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            let data = try handle.read(upToCount: Self.limit + 1) ?? Data()
            try handle.close()
            return data.count <= Self.limit ? .read(path: path, bytes: Array(data)) : .unreadable(path: path)
        } catch {
            return .unreadable(path: path)
        }
    }
}

import Foundation

/// The requests of which something was told, so that each counts once, also over a restart.
///
/// Remembers at least the newest ``generation`` and at most twice as many, by eight bytes each: two files of 2 MiB.
/// They are not synced to the disk: after a power failure the last ones may be missing.
struct ToldIDs {
    static let generation = 1 << 18

    private let directory: String
    private let generation: Int
    private var newer: Set<UInt64> = []
    private var older: Set<UInt64> = []
    private var file: FileHandle?

    private var path: String { "\(self.directory)/told" }
    private var olderPath: String { "\(self.directory)/told.before" }

    /// Reads what is known; nothing of it when the folder cannot be read.
    ///
    /// - Parameters:
    ///   - directory: Its own; made when it is missing.
    ///   - generation: How many are remembered at least.
    init(directory: String, generation: Int = Self.generation) {
        self.directory = directory
        self.generation = max(1, generation)
    }

    /// - Throws: When the files cannot be read or written; what is remembered is in memory alone then.
    mutating func open() throws {
        try FileManager.default.createDirectory(
            atPath: self.directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        self.older = try self.read(self.olderPath)
        self.newer = try self.read(self.path)
        try self.openFile()
    }

    func contains(_ id: String) -> Bool {
        let key = Self.key(of: id)
        return self.newer.contains(key) || self.older.contains(key)
    }

    /// - Throws: When they are remembered in memory alone.
    mutating func insert(_ ids: [String]) throws {
        guard !ids.isEmpty else { return }
        let keys = ids.map(Self.key)
        self.newer.formUnion(keys)
        var bytes = Data(capacity: keys.count * 8)
        for key in keys { withUnsafeBytes(of: key.littleEndian) { bytes.append(contentsOf: $0) } }
        try self.file?.write(contentsOf: bytes)
        guard self.newer.count >= self.generation else { return }
        (self.older, self.newer) = (self.newer, [])
        guard self.file != nil else { return }
        try self.file?.close()
        self.file = nil
        guard rename(self.path, self.olderPath) == 0 else { throw CocoaError(.fileWriteUnknown) }
        try self.openFile()
    }

    private mutating func openFile() throws {
        let isThere = FileManager.default.fileExists(atPath: self.path)
        guard
            isThere
                || FileManager.default.createFile(
                    atPath: self.path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                ), let file = FileHandle(forUpdatingAtPath: self.path)
        else { throw CocoaError(.fileWriteNoPermission) }
        // A write that was cut short by the end of the process must not shift all that come after it.
        let end = try file.seekToEnd()
        if end % 8 != 0 {
            try file.truncate(atOffset: end - end % 8)
            try file.seekToEnd()
        }
        self.file = file
    }

    private func read(_ path: String) throws -> Set<UInt64> {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }  // Only read from: nothing can be lost.
        // No file of ours is longer, but for one batch.
        let bytes = try file.read(upToCount: (self.generation + 65_536) * 8) ?? Data()
        var keys: Set<UInt64> = []
        var key: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            key |= UInt64(byte) << UInt64(index % 8 * 8)
            if index % 8 == 7 {
                keys.insert(key)
                key = 0
            }
        }
        return keys
    }

    /// FNV-1a. Two of half a million ids share a key with a chance of one in a hundred millions.
    private static func key(of id: String) -> UInt64 {
        var key: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return key
    }
}

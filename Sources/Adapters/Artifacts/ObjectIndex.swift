import FoundationEssentials
import Glibc
import Reconciliation

/// The verified artifacts on the disk, and how much they take.
struct ObjectIndex {
    let directory: String
    private var items: [String: Item] = [:]

    private struct Item {
        var object: StoredObject
        /// Nanoseconds since 1970, from the record's time of change, so that it survives a restart.
        var lastUsed: Int64
    }

    init(directory: String) {
        self.directory = directory
    }

    private var objects: String { "\(self.directory)/objects" }
    private var trash: String { "\(self.directory)/trash" }

    var bytes: Int64 { self.items.values.reduce(0) { $0 + $1.object.bytes } }

    func bytes(of ids: Set<String>) -> Int64 {
        ids.reduce(0) { $0 + (self.items[$1]?.object.bytes ?? 0) }
    }

    subscript(id: String) -> StoredObject? { self.items[id]?.object }

    func path(of object: StoredObject) -> String {
        "\(self.objects)/\(object.id)/\(object.name)"
    }

    /// Reads what is there.
    ///
    /// - Returns: What is wrong with objects that are not used therefore, for the log. Those that were changed since
    ///   their digest was verified are put away, those that cannot be read stay where they are.
    mutating func load() throws(ArtifactError) -> [String] {
        for folder in [self.objects, self.trash, "\(self.directory)/partial"] {
            try Folder.createAll(folder)
        }
        self.items = [:]
        var complaints: [String] = []
        for id in try Folder.names(in: self.objects) {
            let folder = "\(self.objects)/\(id)"
            do throws(ArtifactError) {
                let record = "\(folder)/\(StoredObject.recordName)"
                guard let status = try FileStatus(of: record), let object = try Self.record(at: record), object.id == id
                else {
                    complaints.append("\(folder) has no readable record; remove it")
                    continue
                }
                guard try object.isIntact(in: folder) else {
                    complaints.append("\(folder) was changed since it was verified; it is fetched anew")
                    try self.discard(id)
                    continue
                }
                self.items[id] = Item(object: object, lastUsed: status.modified)
            } catch {
                complaints.append(error.message)
            }
        }
        return complaints
    }

    private static func record(at path: String) throws(ArtifactError) -> StoredObject? {
        guard let bytes = try Folder.read(path, limit: 64 << 20) else { return nil }
        // A record that does not decode is reported by the caller, in the words for all unreadable ones.
        return try? JSONDecoder().decode(StoredObject.self, from: Data(bytes))
    }

    /// Writes the record of a staged object, after its content.
    static func write(_ object: StoredObject, in folder: String) throws(ArtifactError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(object) else {
            // Strings and integers always encode.
            throw ArtifactError(code: .storage, message: "a record does not encode as JSON", recovery: .needsOperator)
        }
        try Folder.write(Array(data), to: "\(folder)/\(StoredObject.recordName)")
        try Folder.sync(folder)
    }

    /// Moves a staged object to its place; from then on it is found after any crash.
    mutating func commit(_ staged: StagedObject) throws(ArtifactError) {
        let id = staged.object.id
        let target = "\(self.objects)/\(id)"
        if try FileStatus(of: target) != nil {
            // Left from a crash or unreadable: this one is verified.
            try self.discard(id)
        }
        try Folder.rename(staged.folder, to: target)
        try Folder.sync(self.objects)
        self.items[id] = Item(object: staged.object, lastUsed: 0)
        self.touch(id)
    }

    /// Says that an object is in use now.
    mutating func touch(_ id: String) {
        guard self.items[id] != nil else { return }
        let record = "\(self.objects)/\(id)/\(StoredObject.recordName)"
        // The file system's own clock goes by steps of some milliseconds, in which several may be used.
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        // Without the new time the object is only evicted earlier than it should be.
        _ = utimensat(AT_FDCWD, record, [time, time], 0)
        if let status = try? FileStatus(of: record) { self.items[id]?.lastUsed = status.modified }
    }

    /// The objects that may go, the longest unused first.
    func evictable(except kept: Set<String>) -> [StoredObject] {
        self.items.filter { !kept.contains($0.key) }
            .sorted { ($0.value.lastUsed, $0.key) < ($1.value.lastUsed, $1.key) }
            .map(\.value.object)
    }

    /// Takes an object out of use at once; ``emptyTrash()`` frees its space.
    mutating func discard(_ id: String) throws(ArtifactError) {
        var target = "\(self.trash)/\(id)"
        while try FileStatus(of: target) != nil { target += "~" }
        try Folder.rename("\(self.objects)/\(id)", to: target)
        self.items[id] = nil
    }

    static func emptyTrash(of directory: String) async throws(ArtifactError) {
        let trash = "\(directory)/trash"
        for name in try Folder.names(in: trash) {
            try await Folder.remove("\(trash)/\(name)")
        }
    }
}

import Foundation
import Glibc
import Reconciliation

/// The records of all replicas, one JSON file each, replaced as a whole.
struct ReplicaRecordStore: Sendable {
    let directory: String

    /// Larger than any record; launches hold bounded manifests.
    private static let sizeLimit = 4 << 20

    /// Every record.
    ///
    /// - Throws: `notObservable` when one cannot be read: without it, its process would be started twice.
    func load() throws(PlatformError) -> [ReplicaRecord] {
        let names: [String]
        do {
            try FileManager.default.createDirectory(
                atPath: self.directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            names = try FileManager.default.contentsOfDirectory(atPath: self.directory)
        } catch {
            throw Self.unreadable(self.directory, "\(error)", remedy: "give the controller's user access to it")
        }
        var records: [ReplicaRecord] = []
        for name in names.sorted() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let path = "\(self.directory)/\(name)"
            let remedy = "end its process by hand if there is one, then delete the file"
            guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= Self.sizeLimit else {
                throw Self.unreadable(path, "it cannot be read or is too large", remedy: remedy)
            }
            do {
                records.append(try JSONDecoder().decode(ReplicaRecord.self, from: bytes))
            } catch {
                throw Self.unreadable(path, "\(error)", remedy: remedy)
            }
        }
        return records
    }

    /// Replaces or adds a record. It is on the disk when the call returns.
    ///
    /// - Throws: `invalidState` when the disk does not take it.
    func save(_ record: ReplicaRecord) throws(PlatformError) {
        let path = self.path(of: record)
        let temporary = "\(self.directory)/.\(record.fileName).new"
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Self.write(try encoder.encode(record), to: temporary)
            guard rename(temporary, path) == 0 else { throw POSIXFailure(call: "rename") }
            try Self.syncFolder(self.directory)
        } catch {
            throw PlatformError(
                code: .invalidState,
                message:
                    "\(path) cannot be written: \(error): make room on the disk and let the controller's user write",
                recovery: .retry
            )
        }
    }

    /// Forgets a record. Harmless when there is none.
    func remove(_ record: ReplicaRecord) throws(PlatformError) {
        let path = self.path(of: record)
        guard unlink(path) == 0 || errno == ENOENT else {
            throw PlatformError(
                code: .invalidState,
                message: "\(path) cannot be deleted: \(POSIXFailure(call: "unlink"))",
                recovery: .retry
            )
        }
        // If the disk forgets the deletion, the replica is ended once more after the next start: it is `stopping`.
        try? Self.syncFolder(self.directory)
    }

    private func path(of record: ReplicaRecord) -> String {
        "\(self.directory)/\(record.fileName).json"
    }

    private static func write(_ bytes: Data, to path: String) throws(POSIXFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw POSIXFailure(call: "open") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw POSIXFailure(call: "write") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw POSIXFailure(call: "fsync") }
    }

    private static func syncFolder(_ path: String) throws(POSIXFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw POSIXFailure(call: "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw POSIXFailure(call: "fsync") }
    }

    private static func unreadable(_ path: String, _ cause: String, remedy: String) -> PlatformError {
        PlatformError(code: .notObservable, message: "\(path): \(cause): \(remedy)", recovery: .needsOperator)
    }
}

/// A call of the C library that failed, with its reason.
private struct POSIXFailure: Error, CustomStringConvertible {
    let call: String
    let code = errno

    var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
}

package import Deployments
package import Foundation
import Glibc

/// What replicas wrote: of those that run, and of the last that are gone.
package struct ReplicaLogs: Sendable {
    private let directory: String

    /// - Parameter directory: That of the replicas.
    package init(directory: String) {
        self.directory = "\(directory)/logs"
    }

    package struct File: Hashable, Sendable {
        /// The revision's short digest and the ordinal: `3f2a91c0de-0`.
        package var replica: String
        /// Bytes.
        package var size: Int64
        package var modified: Date
    }

    /// A part of a log, as it was written.
    package struct Piece: Hashable, Sendable {
        /// The place of the first byte. Less than what was asked for when the log was cut meanwhile.
        package var offset: Int64
        package var bytes: [UInt8]

        package init(offset: Int64, bytes: [UInt8]) {
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// Those of a deployment, the newest first.
    package func files(of deployment: DeploymentID) -> [File] {
        let prefix =
            [deployment.namespace, deployment.name].map(ReplicaRecord.fileNamePart).joined(separator: ",") + ","
        // A folder that is not there has no logs, and one that cannot be read shows none.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.directory)) ?? []
        return names.compactMap { name -> File? in
            guard name.hasPrefix(prefix), name.hasSuffix(".log") else { return nil }
            let parts = name.dropFirst(prefix.count).dropLast(4).split(separator: ",")
            let path = "\(self.directory)/\(name)"
            // What went meanwhile is not listed; a link is no log.
            guard parts.count == 2, let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType == .typeRegular,
                let size = attributes[.size] as? NSNumber, let modified = attributes[.modificationDate] as? Date
            else { return nil }
            return File(replica: parts.joined(separator: "-"), size: size.int64Value, modified: modified)
        }.sorted { ($1.modified, $0.replica) < ($0.modified, $1.replica) }
    }

    /// - Parameters:
    ///   - replica: As in a ``File``.
    ///   - deployment: Whose it is.
    ///   - offset: The place of the first byte; a negative one counts from the end.
    ///   - limit: The most bytes.
    /// - Returns: Nothing when there is no such log.
    package func read(_ replica: String, of deployment: DeploymentID, from offset: Int64, limit: Int) -> Piece? {
        let parts = replica.split(separator: "-").map(String.init)
        guard parts.count == 2 else { return nil }
        let names = [deployment.namespace, deployment.name] + parts
        let path = "\(self.directory)/\(names.map(ReplicaRecord.fileNamePart).joined(separator: ",")).log"
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = Int64(lseek(file, 0, SEEK_END))
        // One that is shorter than it was has been cut, and begins anew.
        let start = offset < 0 ? max(0, size + offset) : offset > size ? 0 : offset
        var bytes = [UInt8](repeating: 0, count: Int(max(0, min(Int64(limit), size - start))))
        let count = pread(file, &bytes, bytes.count, off_t(start))
        guard count >= 0 else { return nil }
        return Piece(offset: start, bytes: Array(bytes[..<count]))
    }
}

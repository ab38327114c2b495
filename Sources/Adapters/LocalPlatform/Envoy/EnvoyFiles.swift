import Foundation
import Reconciliation

/// The files between the controller and Envoy.
///
/// Each is replaced by a rename, so that nobody ever reads half of one. None is synced to the disk: they describe
/// processes of this boot, and after another one they are written anew.
struct EnvoyFiles: Hashable, Sendable {
    let directory: String

    var bootstrap: String { "\(self.directory)/bootstrap.json" }
    var ledger: String { "\(self.directory)/ledger.json" }
    var process: String { "\(self.directory)/process.json" }
    var adminSocket: String { "\(self.directory)/admin.sock" }
    /// Where the controller takes copies of requests whose answers are compared. A short name: NIO allows 103 bytes.
    var tapSocket: String { "\(self.directory)/tap" }
    var log: String { "\(self.directory)/envoy.log" }
    /// What Envoy prints before its log is open, and when it crashes.
    var output: String { "\(self.directory)/envoy.out" }
    var listeners: String { "\(self.directory)/xds/lds.json" }
    var clusters: String { "\(self.directory)/xds/cds.json" }
    var routes: String { "\(self.directory)/xds/rds.json" }
    var endpointsFolder: String { "\(self.directory)/xds/endpoints" }

    func endpoints(of cluster: String) -> String { "\(self.endpointsFolder)/\(cluster).json" }

    /// The address of a Unix socket holds 107 bytes.
    private static let longestSocketPath = 107

    func makeFolders() throws(PlatformError) {
        guard self.directory.hasPrefix("/"), self.adminSocket.utf8.count <= Self.longestSocketPath else {
            throw PlatformError(
                code: .invalidState,
                message: """
                    the router's folder \(self.directory) must be an absolute path of at most \
                    \(Self.longestSocketPath - "/admin.sock".utf8.count) bytes: choose another one
                    """,
                recovery: .needsOperator
            )
        }
        do {
            try FileManager.default.createDirectory(
                atPath: self.endpointsFolder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw self.failure("creating \(self.endpointsFolder)", error.localizedDescription)
        }
    }

    /// Replaces a file at once.
    func write(_ bytes: [UInt8], to path: String) throws(PlatformError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.failure("creating \(temporary)", errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = errno
                close(descriptor)
                throw self.failure("writing \(temporary)", error)
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw self.failure("renaming \(temporary)", errno) }
    }

    /// - Returns: Nothing when there is no such file.
    func read(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path).map { Array($0) }
    }

    func remove(_ path: String) throws(PlatformError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw self.failure("removing \(path)", errno) }
    }

    /// Removes what no longer has a meaning: all but the log.
    func removeState() throws(PlatformError) {
        for path in [self.ledger, self.process, self.listeners, self.clusters, self.routes] { try self.remove(path) }
        try self.removeEndpoints(except: [])
    }

    func removeEndpoints(except clusters: Set<String>) throws(PlatformError) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: self.endpointsFolder)
        } catch {
            throw self.failure("reading \(self.endpointsFolder)", error.localizedDescription)
        }
        for name in names where !clusters.contains(String(name.dropLast(".json".count))) {
            try self.remove("\(self.endpointsFolder)/\(name)")
        }
    }

    /// The end of Envoy's log, for messages to people.
    func lastRejection() -> String? {
        guard let handle = FileHandle(forReadingAtPath: self.log) else { return nil }
        // Without the text the rejection is still reported; its counter is what counts.
        defer { try? handle.close() }
        guard let end = try? handle.seekToEnd() else { return nil }
        guard (try? handle.seek(toOffset: end > 65536 ? end - 65536 : 0)) != nil,
            let data = try? handle.readToEnd()
        else { return nil }
        return Self.lastRejection(in: String(decoding: data, as: UTF8.self))
    }

    /// The last refusal in a log. It may be of many lines: the whole refused configuration, and last what is wrong.
    static func lastRejection(in log: String) -> String? {
        let marker = "config update rejected: "
        let lines = log.split(separator: "\n")
        guard let index = lines.lastIndex(where: { $0.contains(marker) }),
            let range = lines[index].range(of: marker)
        else { return nil }
        let more = lines[(index + 1)...].prefix { !$0.hasPrefix("[") }
        let reason = more.last ?? lines[index][range.upperBound...]
        let text = String(reason.drop { $0 == ":" || $0 == " " })
        // Its end is the most specific.
        return text.count <= 500 ? text : "…\(text.suffix(500))"
    }

    private func failure(_ doing: String, _ error: Int32) -> PlatformError {
        self.failure(doing, String(cString: strerror(error)))
    }

    private func failure(_ doing: String, _ reason: String) -> PlatformError {
        PlatformError(
            code: .invalidState,
            message: "\(doing): \(reason): make the router's folder \(self.directory) writable and its disk not full",
            recovery: .wait(.seconds(5))
        )
    }
}

import FoundationEssentials
import Glibc
import Reconciliation
import Transport

/// A download that can go on after an interruption, in a folder of its own.
///
/// `data` holds the bytes, `state.json` the server's validator of them. The state is written before the first byte,
/// and data of another state is removed before that, so that no crash leaves bytes beside a validator that is not
/// theirs.
struct PartialDownload: Sendable {
    var folder: String
    /// Of this run of the controller.
    var session: String
    var client: HTTPClient

    var data: String { "\(self.folder)/data" }
    private var stateFile: String { "\(self.folder)/state.json" }

    private struct State: Codable {
        var session: String
        /// An ETag or a Last-Modified, for `If-Range`.
        var validator: String
    }

    /// Downloads the rest, or everything.
    ///
    /// - Parameters:
    ///   - request: What downloads it, with its timeout. Fields and limits of a download are added.
    ///   - limit: Bytes of the whole file.
    ///   - mayResume: Whether the result will be compared with a known digest. Without one, bytes of an earlier run
    ///     of the controller are not trusted: after a power failure they may be zeros.
    ///   - configuration: For the time without a byte.
    ///   - progress: Gets the bytes in the file, and the expected total, on the way.
    /// - Returns: Whether bytes of an earlier attempt are in the file.
    /// - Throws: An `ArtifactError`; what arrived stays for the next attempt.
    func run(
        _ request: HTTPRequest,
        limit: Int64,
        mayResume: Bool,
        configuration: ArtifactConfiguration,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws(ArtifactError) -> Bool {
        let (offset, validator) = try await self.resumable(mayResume: mayResume)
        var request = request
        request.headers["Accept"] = "*/*"
        request.headers["User-Agent"] = "controller"
        request.connectTimeout = .seconds(10)
        request.stallTimeout = configuration.stallTimeout
        request.maxResponseBytes = Int(limit)
        request.headers["If-Range"] = validator
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await self.client.download(
                request,
                toFile: self.data,
                resumingAt: offset,
                started: { self.begin($0) },
                progress: progress
            )
        } catch {
            throw ArtifactError(error)
        }
        switch response.status {
        case 200:
            return false
        case 206:
            return offset > 0
        case 416 where response.headers["Content-Range"] == "bytes */\(offset)":
            // All of it had arrived before the interruption.
            return true
        default:
            if response.status == 416 { try await self.discard() }
            throw Self.error(for: response, of: WebAddress.redacted(request.url))
        }
    }

    /// Removes what arrived.
    func discard() async throws(ArtifactError) {
        try await Folder.remove(self.data)
        try await Folder.remove(self.stateFile)
    }

    private func resumable(mayResume: Bool) async throws(ArtifactError) -> (offset: Int64, validator: String?) {
        if let bytes = try Folder.read(self.stateFile, limit: 64 << 10),
            let status = try FileStatus(of: self.data), status.isRegular, status.bytes > 0,
            // A state that does not decode is none: the download starts anew.
            let state = try? JSONDecoder().decode(State.self, from: Data(bytes)),
            mayResume || state.session == self.session
        {
            return (status.bytes, state.validator)
        }
        try await self.discard()
        return (0, nil)
    }

    /// Called on the client's thread before an answer's first byte is written.
    private func begin(_ response: HTTPResponse) {
        guard response.status == 200 else { return }
        unlink(self.stateFile)
        unlink(self.data)
        let tag = response.headers["ETag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
        guard let validator = tag ?? response.headers["Last-Modified"] else { return }
        // Without a state the next attempt starts anew, which is right whatever failed here.
        guard let data = try? JSONEncoder().encode(State(session: self.session, validator: validator)) else { return }
        try? Folder.write(Array(data), to: self.stateFile)
    }

    private static func error(for response: HTTPResponse, of url: String) -> ArtifactError {
        let status = response.status
        let start = "\(url) answered \(status)"
        switch status {
        case 401, 403:
            return ArtifactError(
                code: .refused,
                message: "\(start); allow this machine to read it, or give a uri that may be read",
                recovery: .needsOperator
            )
        case 404, 410:
            return ArtifactError(
                code: .notFound,
                message: "\(start); upload the artifact or correct the model's uri",
                recovery: .needsOperator
            )
        case 408, 416, 425, 429, 500...599:
            let pause = response.headers["Retry-After"].flatMap { Int($0) }.map { min(max($0, 1), 600) }
            return ArtifactError(
                code: .unreachable,
                message: "\(start); check the server if that lasts",
                recovery: pause.map { .wait(.seconds($0)) } ?? .retry
            )
        default:
            return ArtifactError(
                code: .refused,
                message: "\(start); correct the model's uri",
                recovery: .needsOperator
            )
        }
    }
}

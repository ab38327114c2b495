import Foundation
package import LoopbackServer
import Synchronization

/// Answers as MLflow 3.17.2 does to what the controller asks, refusals included, and goes wrong when told to.
package final class FakeMLflow: Sendable {
    package struct Version: Sendable {
        package var tags: [String: String] = [:]
        package var status = "READY"
        package var run = "6c65ec452312437aaec586250e1a4f58"
        /// Nothing for the place of the version's own files.
        package var uri: String?

        package init() {}
    }

    package struct State: Sendable {
        package var models: [String: [Int: Version]] = [:]
        package var aliases: [String: [String: Int]] = [:]
        /// By their place below the server's root of artifacts.
        package var files: [String: [UInt8]] = [:]
        /// What requests must bring; nothing for an open server.
        package var authorization: String?
        /// Answers that come instead of the usual ones, as long as this gives one.
        package var fault: (@Sendable (LoopbackServer.Request) -> LoopbackServer.Answer?)?
    }

    private let state = Mutex(State())
    private let server: Mutex<LoopbackServer?> = Mutex(nil)

    package init() throws {
        let server = try LoopbackServer { [weak self] in self?.answer($0) ?? .silence }
        self.server.withLock { $0 = server }
    }

    package var url: String { self.server.withLock { $0?.url ?? "" } }
    package var requests: [LoopbackServer.Request] { self.server.withLock { $0?.requests ?? [] } }

    package func change(_ body: (inout sending State) -> Void) {
        self.state.withLock { body(&$0) }
    }

    /// Registers a version with files, whose paths are below its folder, in the place of those that it had.
    package func register(
        _ model: String,
        _ number: Int,
        files: [String: [UInt8]],
        tags: [String: String] = [:]
    ) {
        self.state.withLock { state in
            var version = Version()
            version.tags = tags
            state.models[model, default: [:]][number] = version
            state.files = state.files.filter { !$0.key.hasPrefix("\(Self.root(model, number))/") }
            for (path, bytes) in files { state.files["\(Self.root(model, number))/\(path)"] = bytes }
        }
    }

    package func point(_ alias: String, of model: String, to number: Int) {
        self.state.withLock { $0.aliases[model, default: [:]][alias] = number }
    }

    package static func root(_ model: String, _ number: Int) -> String { "1/\(model)-\(number)/artifacts/model" }

    // MARK: - Answers

    private static let base = "/api/2.0/mlflow/"
    private static let artifacts = "/api/2.0/mlflow-artifacts/artifacts"

    private func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        self.state.withLock { state in
            if let answer = state.fault?(request) { return answer }
            if let wanted = state.authorization, request.headers["authorization"] != wanted {
                return .text("You are not authenticated.", status: 401)
            }
            let parts = URLComponents(string: request.target)
            let query = Dictionary(
                (parts?.queryItems ?? []).map { ($0.name, $0.value ?? "") },
                uniquingKeysWith: { $1 }
            )
            let path = parts?.path ?? ""
            if path == Self.artifacts { return Self.listing(of: query["path"] ?? "", in: state) }
            if path.hasPrefix("\(Self.artifacts)/") {
                return Self.file(String(path.dropFirst(Self.artifacts.count + 1)), request, in: state)
            }
            return Self.record(String(path.dropFirst(Self.base.count)), query, in: state)
        }
    }

    private static func record(_ method: String, _ query: [String: String], in state: State) -> LoopbackServer.Answer {
        let name = query["name"] ?? ""
        guard let versions = state.models[name] else {
            return Self.refusal(404, "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=\(name) not found")
        }
        let aliases = state.aliases[name] ?? [:]
        var number = query["version"].flatMap { Int($0) } ?? 0
        if method == "registered-models/get" {
            let list = aliases.map { ["alias": $0.key, "version": "\($0.value)"] }
            let model: [String: Any] = ["name": name, "aliases": list]
            return Self.json(["registered_model": model])
        }
        if method == "registered-models/alias" {
            let alias = query["alias"] ?? ""
            guard let meant = aliases[alias] else {
                let words = "Registered model alias \(alias) not found."
                return Self.refusal(400, "INVALID_PARAMETER_VALUE", words)
            }
            number = meant
        }
        guard let version = versions[number] else {
            let words = "Model Version (name=\(name), version=\(number)) not found"
            return Self.refusal(404, "RESOURCE_DOES_NOT_EXIST", words)
        }
        let uri = version.uri ?? "mlflow-artifacts:/\(Self.root(name, number))"
        if method == "model-versions/get-download-uri" { return Self.json(["artifact_uri": uri]) }
        let record: [String: Any] = [
            "name": name, "version": "\(number)", "status": version.status, "run_id": version.run, "source": uri,
            "tags": version.tags.map { ["key": $0.key, "value": $0.value] },
            "aliases": aliases.filter { $0.value == number }.map(\.key),
        ]
        return Self.json(["model_version": record])
    }

    /// Nothing is said of a folder that does not exist, as of one that is empty.
    private static func listing(of folder: String, in state: State) -> LoopbackServer.Answer {
        var entries: [String: [String: Any]] = [:]
        for (place, bytes) in state.files where place.hasPrefix("\(folder)/") {
            let parts = place.dropFirst(folder.count + 1).split(separator: "/")
            let name = String(parts[0])
            entries[name] =
                parts.count > 1
                ? ["path": name, "is_dir": true] : ["path": name, "is_dir": false, "file_size": bytes.count]
        }
        if entries.isEmpty { return Self.json([:]) }
        return Self.json(["files": entries.sorted { $0.key < $1.key }.map(\.value)])
    }

    private static func file(
        _ place: String,
        _ request: LoopbackServer.Request,
        in state: State
    ) -> LoopbackServer.Answer {
        guard let bytes = state.files[place] else { return Self.refusal(404, "RESOURCE_DOES_NOT_EXIST", "no file") }
        // Weak as hashes go, which is enough to tell a test's files apart.
        let tag = "\"\(bytes.reduce(UInt64(bytes.count)) { ($0 &* 31) &+ UInt64($1) })\""
        let isSame = request.headers["if-range"] ?? tag == tag
        if let range = request.headers["range"], isSame, let start = Int(range.dropFirst(6).dropLast()) {
            guard start < bytes.count else {
                return .status(416, headers: ["Content-Range": "bytes */\(bytes.count)"])
            }
            let headers = ["ETag": tag, "Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"]
            return .status(206, headers: headers, body: Array(bytes[start...]))
        }
        return .status(200, headers: ["ETag": tag], body: bytes)
    }

    package static func refusal(_ status: Int, _ code: String, _ message: String) -> LoopbackServer.Answer {
        Self.json(["error_code": code, "message": message], status: status)
    }

    private static func json(_ value: [String: Any], status: Int = 200) -> LoopbackServer.Answer {
        // Strings and numbers always encode.
        let data = (try? JSONSerialization.data(withJSONObject: value)) ?? Data()
        return .status(status, headers: ["Content-Type": "application/json"], body: Array(data))
    }
}

import Foundation
package import Transport

/// What the tests ask of a real MLflow server: to log files, make versions of them, and move aliases.
package struct MLflowCalls: Sendable {
    package let url: String
    private let client: HTTPClient

    /// The server does not do what it is asked.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What a real server is started with. Jobs would start seven processes more, which stay behind.
    package static let environment = [
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true",
    ]

    package static func arguments(port: Int, in folder: String) -> [String] {
        [
            "server", "--host", "127.0.0.1", "--port", "\(port)", "--workers", "1", "--serve-artifacts",
            "--backend-store-uri", "sqlite:///\(folder)/mlflow.db", "--artifacts-destination", "\(folder)/mlflow",
        ]
    }

    /// Where `make setup` installs it.
    package static func program(below root: String) throws -> String {
        let program = "\(root)/.mlflow/bin/mlflow"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Failure(description: "\(program) is missing: run make setup")
        }
        return program
    }

    package init(url: String, client: HTTPClient) {
        self.url = url
        self.client = client
    }

    /// Whether it answers. Until it is up, nobody does; a new database takes a minute on a busy machine.
    package var isUp: Bool {
        get async { (try? await self.client.send(HTTPRequest(url: self.url + "/health")))?.isSuccess ?? false }
    }

    package func create(_ model: String) async throws {
        _ = try await self.call("registered-models/create", ["name": model])
    }

    /// Logs a run with these files below `model`, and makes a version of it.
    ///
    /// - Parameters:
    ///   - model: The registered model.
    ///   - files: By their paths.
    ///   - digest: For the version's tag.
    /// - Returns: The version.
    /// - Throws: A ``Failure``, or what the client has against it.
    package func register(_ model: String, files: [String: [UInt8]], digest: String? = nil) async throws -> Int {
        let run = try await self.call("runs/create", ["experiment_id": "0"])
        guard let info = (run["run"] as? [String: Any])?["info"] as? [String: Any],
            let place = info["artifact_uri"] as? String
        else { throw Failure(description: "no run was made: \(run)") }
        for (path, bytes) in files {
            let target = "\(place.replacing("mlflow-artifacts:/", with: ""))/model/\(path)"
            let answer = try await self.client.send(
                HTTPRequest(method: "PUT", url: "\(self.url)/api/2.0/mlflow-artifacts/artifacts/\(target)", body: bytes)
            )
            guard answer.isSuccess else { throw Failure(description: "\(path): \(answer.text)") }
        }
        var body: [String: Any] = ["name": model, "source": "\(place)/model"]
        body["run_id"] = info["run_id"]
        if let digest { body["tags"] = [["key": "sha256", "value": digest]] }
        let made = try await self.call("model-versions/create", body)
        guard let version = made["model_version"] as? [String: Any],
            let number = Int(version["version"] as? String ?? "")
        else { throw Failure(description: "no version was made: \(made)") }
        return number
    }

    package func point(_ alias: String, of model: String, to version: Int) async throws {
        _ = try await self.call("registered-models/alias", ["name": model, "alias": alias, "version": "\(version)"])
    }

    private func call(_ method: String, _ body: [String: Any]) async throws -> [String: Any] {
        let answer = try await self.client.send(
            HTTPRequest(
                method: "POST",
                url: "\(self.url)/api/2.0/mlflow/\(method)",
                headers: ["Content-Type": "application/json"],
                body: Array(try JSONSerialization.data(withJSONObject: body))
            )
        )
        let object = answer.isSuccess ? try JSONSerialization.jsonObject(with: Data(answer.body)) : nil
        guard let object = object as? [String: Any] else { throw Failure(description: "\(method): \(answer.text)") }
        return object
    }
}

import Deployments
import Reconciliation
import Transport

/// Asks a replica how it is, over HTTP. Every request has a deadline and a limit.
struct ReplicaProbe: Sendable {
    enum Answer: Hashable, Sendable {
        case yes
        /// Ask again: it may still be loading.
        case notYet(String)
        /// It refuses a question that it should answer, which some servers do while they load.
        case refused(String)
        /// It answered, and wrong.
        case wrong(String)
    }

    enum Signature: Hashable, Sendable {
        /// Nothing where the protocol has no metadata.
        case known(String?)
        case notYet(String)
    }

    private let client: HTTPClient
    private let endpoint: Endpoint
    private let launch: ReplicaLaunch
    private let readinessPath: String

    /// - Throws: `unknownVariable` when the readiness path has one.
    init(client: HTTPClient, endpoint: Endpoint, launch: ReplicaLaunch) throws(PlatformError) {
        self.client = client
        self.endpoint = endpoint
        self.launch = launch
        let variables = LaunchVariables(launch: launch, endpoint: endpoint)
        let path = try variables.substitutePath(launch.runtime.readiness.path, in: "readiness.path")
        self.readinessPath = path.hasPrefix("/") ? path : "/\(path)"
    }

    /// Whether the readiness path answers 200.
    func readiness() async -> Answer {
        let request = HTTPRequest(
            url: self.url(self.readinessPath),
            timeout: self.launch.runtime.readiness.timeout,
            maxResponseBytes: 1 << 20
        )
        do {
            let response = try await self.client.send(request)
            return response.status == 200 ? .yes : .notYet("GET \(self.readinessPath) answered \(response.status)")
        } catch {
            return .notYet(self.words(for: error, what: "GET \(self.readinessPath)"))
        }
    }

    /// The model's inputs and outputs: name, datatype and shape only, sorted, as JSON.
    func signature(within limit: Duration) async -> Signature {
        guard self.launch.runtime.protocolName == .openInferenceV2 else { return .known(nil) }
        let path = "/v2/models/\(self.modelName)"
        let request = HTTPRequest(url: self.url(path), timeout: limit, maxResponseBytes: 1 << 20)
        do {
            let response = try await self.client.send(request)
            guard response.status == 200 else { return .notYet("GET \(path) answered \(response.status)") }
            guard let metadata = JSONValue(response.body) else { return .notYet("GET \(path) answered no JSON") }
            return .known(Self.canonicalSignature(metadata))
        } catch {
            return .notYet(self.words(for: error, what: "GET \(path)"))
        }
    }

    /// Whether the model answers a golden prediction right. `number` counts from 1.
    func golden(_ prediction: GoldenPrediction, number: Int, within limit: Duration) async -> Answer {
        let path = self.inferencePath
        let name = "golden prediction \(number)"
        guard let expected = JSONValue(prediction.expected) else {
            return .wrong("\(name): what is expected is not JSON; correct the manifest")
        }
        let request = HTTPRequest(
            method: "POST",
            url: self.url(path),
            headers: ["Content-Type": "application/json", "Accept": "application/json"],
            body: Array(prediction.request.utf8),
            timeout: limit,
            maxResponseBytes: 4 << 20
        )
        do {
            let response = try await self.client.send(request)
            guard response.isSuccess else {
                let body = printable(response.text, keepingFirst: 200)
                let words = "\(name): POST \(path) answered \(response.status): \(body)"
                // These four are what servers and their proxies say while a model loads.
                return [429, 502, 503, 504].contains(response.status) ? .notYet(words) : .refused(words)
            }
            guard let answer = JSONValue(response.body) else {
                return .wrong("\(name): POST \(path) answered no JSON: \(printable(response.text, keepingFirst: 200))")
            }
            guard let mismatch = expected.mismatch(in: answer, tolerance: prediction.tolerance) else { return .yes }
            return .wrong("\(name): \(mismatch)")
        } catch {
            let words = self.words(for: error, what: "\(name): POST \(path)")
            return error.code == .tooLarge ? .wrong(words) : .notYet(words)
        }
    }

    /// Where predictions are posted.
    var inferencePath: String {
        switch self.launch.runtime.protocolName {
        case .openInferenceV2: "/v2/models/\(self.modelName)/infer"
        case .torchserve: "/predictions/\(self.modelName)"
        case .tensorflow: "/v1/models/\(self.modelName):predict"
        case .openai: "/v1/chat/completions"
        // The folder of the readiness path: for /healthz the root.
        case .http:
            String(self.readinessPath[...(self.readinessPath.lastIndex(of: "/") ?? self.readinessPath.startIndex)])
        }
    }

    static func canonicalSignature(_ metadata: JSONValue) -> String {
        func tensors(_ key: String) -> JSONValue {
            guard case .array(let tensors)? = metadata[key] else { return .array([]) }
            let kept = tensors.map { tensor in
                var members: [String: JSONValue] = [:]
                for member in ["datatype", "name", "shape"] { members[member] = tensor[member] }
                return JSONValue.object(members)
            }
            return .array(kept.sorted { ($0["name"]?.canonical ?? "") < ($1["name"]?.canonical ?? "") })
        }
        return JSONValue.object(["inputs": tensors("inputs"), "outputs": tensors("outputs")]).canonical
    }

    private var modelName: String { LaunchVariables.pathSegment(self.launch.model.name) }

    private func url(_ path: String) -> String { "http://\(self.endpoint)\(path)" }

    private func words(for error: TransportError, what: String) -> String {
        switch error.code {
        case .unreachable: "nothing listens on \(self.endpoint)"
        case .timedOut: "\(what) got no answer in time"
        default: "\(what): \(printable(error.message, keepingFirst: 200))"
        }
    }
}

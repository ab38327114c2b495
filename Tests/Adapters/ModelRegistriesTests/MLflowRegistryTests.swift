import Deployments
import FakeMLflow
import Foundation
import LoopbackServer
import ModelRegistries
import Synchronization
import Testing
import Transport

@Suite("MLflow's registry", .timeLimit(.minutes(5)))
struct MLflowRegistryTests {
    let server: FakeMLflow
    let registry: MLflowRegistry
    let champion = ModelReference(name: "magika", selector: .alias("champion"))

    init() throws {
        self.server = try FakeMLflow()
        self.server.register("magika", 7, files: ["MLmodel": [1], "data/model.onnx": [2, 3], "data/a b#%.txt": []])
        self.server.register("magika", 8, files: ["MLmodel": [4]], tags: ["sha256": String(repeating: "a", count: 64)])
        self.server.point("champion", of: "magika", to: 7)
        self.registry = Self.registry(of: self.server)
    }

    private static func registry(
        of server: FakeMLflow,
        _ credentials: RegistryCredentials = .none,
        timeout: Duration = .seconds(30)
    ) -> MLflowRegistry {
        MLflowRegistry(
            configuration: RegistryConfiguration(url: server.url, credentials: credentials, timeout: timeout),
            client: HTTPClient()
        )
    }

    private func failure(
        _ registry: MLflowRegistry? = nil,
        _ reference: ModelReference? = nil
    ) async throws -> RegistryError {
        do throws(RegistryError) {
            let version = try await (registry ?? self.registry).version(reference ?? self.champion)
            Issue.record("answered \(version)")
            throw RegistryError(code: .cancelled, message: "")
        } catch {
            return error
        }
    }

    @Test
    func `an alias and a number give the same version with its run, tags and aliases`() async throws {
        let byAlias = try await self.registry.version(self.champion)
        let byNumber = try await self.registry.version(ModelReference(name: "magika", selector: .version(7)))
        #expect(byAlias == byNumber)
        #expect(byAlias.number == 7 && byAlias.status == .ready && byAlias.aliases == ["champion"])
        #expect(byAlias.run == "6c65ec452312437aaec586250e1a4f58")
        #expect(try await self.registry.aliases(of: "magika") == ["champion": 7])
        let next = try await self.registry.version(ModelReference(name: "magika", selector: .version(8)))
        #expect(byAlias.digest == nil)
        #expect(next.digest == "sha256:" + String(repeating: "a", count: 64))
    }

    @Test
    func `a version's files are listed through all folders, with sizes`() async throws {
        let version = try await self.registry.version(self.champion)
        let uri = try await self.registry.downloadURI(of: version)
        #expect(uri == "mlflow-artifacts:/\(FakeMLflow.root("magika", 7))")
        let files = try await self.registry.files(below: uri, limits: RegistryLimits())
        #expect(files.map(\.path) == ["MLmodel", "data/a b#%.txt", "data/model.onnx"])
        #expect(files.map(\.bytes) == [1, 0, 2])
        let odd = try self.registry.request(for: files[1])
        #expect(odd.url.hasSuffix("/artifacts/model/data/a%20b%23%25.txt"))
        let here = "mlflow-artifacts://\(self.server.url.dropFirst("http://".count))/\(FakeMLflow.root("magika", 7))"
        #expect(try await self.registry.files(below: here, limits: RegistryLimits()) == files)
    }

    @Test
    func `what is not there is told apart: the alias, the model, the version`() async throws {
        let alias = try await self.failure(nil, ModelReference(name: "magika", selector: .alias("challenger")))
        #expect(alias.code == .aliasMissing)
        #expect(alias.message.contains("the alias challenger of the model magika"))
        let model = try await self.failure(nil, ModelReference(name: "other", selector: .alias("champion")))
        #expect(model.code == .notFound)
        let version = try await self.failure(nil, ModelReference(name: "magika", selector: .version(9)))
        #expect(version.code == .notFound)
        #expect(version.message.contains("version 9 of the model magika"))
        #expect(version.recovery == .needsOperator)
    }

    @Test(arguments: [
        (400, RegistryError.Code.badAnswer, TransportError.Recovery.needsOperator),
        (401, .unauthorized, .needsOperator), (403, .unauthorized, .needsOperator),
        (404, .notConfigured, .needsOperator), (302, .notConfigured, .needsOperator),
        (429, .unreachable, .wait(.seconds(7))), (500, .unreachable, .wait(.seconds(7))),
    ])
    func `an answer says what kind of failure it is, and what helps`(
        status: Int,
        code: RegistryError.Code,
        recovery: TransportError.Recovery
    ) async throws {
        self.server.change {
            $0.fault = { _ in
                .text(
                    "<html>no</html>",
                    status: status,
                    headers: ["Retry-After": "7", "Location": "http://evil.example/x"]
                )
            }
        }
        let error = try await self.failure()
        #expect(error.code == code)
        #expect(error.recovery == recovery)
        #expect(error.message.contains(self.server.url))
    }

    @Test
    func `a question is never sent on by a redirect`() async throws {
        let other = try LoopbackServer { _ in .text("{}") }
        self.server.change { $0.fault = { [url = other.url] _ in .status(307, headers: ["Location": "\(url)/steal"]) } }
        let error = try await self.failure()
        #expect(error.code == .notConfigured)
        #expect(error.message.contains("\(other.url)/steal"))
        #expect(other.requests.isEmpty)
    }

    @Test
    func `credentials are read anew for each request, and are in no error`() async throws {
        let file = NSTemporaryDirectory() + "registry-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data("t0ken\n".utf8).write(to: URL(filePath: file))
        self.server.change { $0.authorization = "Bearer t0ken" }
        let bearer = Self.registry(of: self.server, .tokenFile(file))
        #expect(try await bearer.version(self.champion).number == 7)
        let basic = Self.registry(of: self.server, .password(user: "ml", file: file))
        self.server.change { $0.authorization = "Basic \(Data("ml:t0ken".utf8).base64EncodedString())" }
        #expect(try await basic.version(self.champion).number == 7)
        self.server.change {
            $0.fault = { FakeMLflow.refusal(403, "PERMISSION_DENIED", "no \($0.headers["authorization"] ?? "")") }
        }
        for registry in [bearer, basic] {
            let error = try await self.failure(registry)
            #expect(error.code == .unauthorized)
            #expect(!error.message.contains("t0ken"))
            #expect(!error.message.contains(Data("ml:t0ken".utf8).base64EncodedString()))
        }
        self.server.change { $0.fault = nil }
        try Data("other\n".utf8).write(to: URL(filePath: file))
        #expect(try await self.failure(bearer).message.contains("renew the token in \(file)"))
        try FileManager.default.removeItem(atPath: file)
        #expect(try await self.failure(bearer).code == .notConfigured)
    }

    @Test
    func `a server that says nothing is given up at the deadline`() async throws {
        self.server.change { $0.fault = { _ in .silence } }
        let error = try await self.failure(Self.registry(of: self.server, timeout: .milliseconds(200)))
        #expect(error.code == .timedOut)
        #expect(error.recovery == .retry)
    }

    @Test(arguments: [
        "no JSON", "{}", "[]", #"{"model_version": {"name": "magika", "version": "seven"}}"#,
        #"{"model_version": {"name": "other", "version": "7"}}"#,
    ])
    func `what is not MLflow's format is no version`(text: String) async throws {
        self.server.change { $0.fault = { _ in .text(text) } }
        #expect(try await self.failure().code == .badAnswer)
    }

    @Test(arguments: ["../x", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "a\nb"])
    func `a name that could lead elsewhere is refused`(name: String) async throws {
        let listing = try JSONSerialization.data(withJSONObject: ["files": [["path": name, "is_dir": false]]])
        self.server.change { $0.fault = { _ in .status(200, body: Array(listing)) } }
        await #expect(throws: RegistryError.self) {
            try await self.registry.files(below: "mlflow-artifacts:/1/x", limits: RegistryLimits())
        }
    }

    @Test
    func `a listing has limits of files, bytes, depth and size`() async throws {
        self.server.register("deep", 1, files: ["a/b/c/d": [1]])
        let deep = "mlflow-artifacts:/\(FakeMLflow.root("deep", 1))"
        let wide = "mlflow-artifacts:/\(FakeMLflow.root("magika", 7))"
        for (uri, limits) in [
            (wide, RegistryLimits(files: 2)), (wide, RegistryLimits(bytes: 2)), (deep, RegistryLimits(depth: 2)),
        ] {
            let error = await #expect(throws: RegistryError.self) {
                try await self.registry.files(below: uri, limits: limits)
            }
            #expect(error?.code == .tooLarge)
        }
        // A folder that has itself in it ends as well.
        self.server.change { $0.fault = { _ in .text(#"{"files": [{"path": "again", "is_dir": true}]}"#) } }
        await #expect(throws: RegistryError.self) {
            try await self.registry.files(below: wide, limits: RegistryLimits())
        }
        self.server.change { $0.fault = { _ in .status(200, body: [UInt8](repeating: 0x20, count: 17 << 20)) } }
        let error = await #expect(throws: RegistryError.self) {
            try await self.registry.files(below: wide, limits: RegistryLimits())
        }
        #expect(error?.code == .tooLarge)
    }

    @Test
    func `pages of a listing are not taken for the whole`() async throws {
        self.server.change { $0.fault = { _ in .text(#"{"files": [], "next_page_token": "x"}"#) } }
        let error = await #expect(throws: RegistryError.self) {
            try await self.registry.files(below: "mlflow-artifacts:/1/x", limits: RegistryLimits())
        }
        #expect(error?.code == .badAnswer)
    }

    @Test(arguments: [
        ("s3://key:secret@bucket/path", "s3:"), ("gs://bucket/path", "gs:"), ("/srv/mlruns/1", "a folder"),
        ("mlflow-artifacts://other.example/1", "mlflow-artifacts:"), ("https://other.example/1", "https:"),
    ])
    func `files that the server does not hand out are an error that names the fix`(uri: String, place: String)
        async throws
    {
        let error = await #expect(throws: RegistryError.self) {
            try await self.registry.files(below: uri, limits: RegistryLimits())
        }
        #expect(error?.code == .notServed)
        #expect(error?.message.contains("--serve-artifacts") == true)
        #expect(error?.message.contains(place) == true)
        #expect(error?.message.contains("secret") == false)
    }
}

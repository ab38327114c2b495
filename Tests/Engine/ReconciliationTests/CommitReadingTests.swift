import Deployments
import Manifests
import Reconciliation
import Testing

/// Commits that are so large that several threads decode them.
struct CommitReadingTests {
    private static let runtime = """
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: onnx}
        spec:
          formats: [{name: onnx}]
          command: [serve, "${port}"]

        """

    /// Every seventh has something wrong with it, of which some concerns other manifests too.
    private static func manifest(_ number: Int, version: Int) -> String {
        let text = """
            apiVersion: controller/v1
            kind: ModelDeployment
            metadata: {name: model-\(number)}
            spec:
              model: {name: m, version: "\(version)", format: onnx, uri: "file:///m"}
              route: {pathPrefix: /model-\(number)}

            """
        guard number % 7 == 0 else { return text }
        return switch number / 7 % 6 {
        case 0: text.replacing("format: onnx", with: "format: onxx")
        case 1: text.replacing("name: model-\(number)", with: "name: model-\(number - 1)")
        case 2: text.replacing("pathPrefix: /model-\(number)", with: "pathPrefix: /model-\(number + 1)")
        case 3: text + "  dependsOn: [model-\(number + 1), nobody]\n  replicas: many\n"
        case 4: text + "a: [b"
        default: text + "---\nkind: Deployment\n"
        }
    }

    private static func defaults(_ spec: String) -> SourceFile {
        let text = "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\nspec: \(spec)\n"
        return SourceFile(path: "team/defaults.yaml", blob: spec, bytes: Array(text.utf8))
    }

    private static func snapshot(
        _ commit: String,
        changed: Range<Int> = 0..<0,
        defaults: String? = nil
    ) -> SourceSnapshot {
        var files = (0..<700).map { number in
            let version = changed.contains(number) ? 2 : 1
            let bytes = Array(Self.manifest(number, version: version).utf8)
            return SourceFile(path: "team/\(number).yaml", blob: "\(number)-\(version)", bytes: bytes)
        }
        files.append(SourceFile(path: "runtime.yaml", blob: "runtime", bytes: Array(Self.runtime.utf8)))
        if let defaults { files.append(Self.defaults(defaults)) }
        files.sort { $0.path < $1.path }
        let origin = CommitReference(repository: "models", branch: "main", commit: commit)
        return SourceSnapshot(origin: origin, files: files)
    }

    @Test(arguments: [1, 2, 8])
    func `many threads read what one does`(cores: Int) async {
        let reader = ManifestReader()
        let reading = CommitReading(reader: reader, cores: cores)
        var memory = ManifestMemory()
        for (commit, changed) in [("1", 0..<0), ("2", 100..<600), ("3", 5..<9), ("4", 0..<700)] {
            let snapshot = Self.snapshot(commit, changed: changed)
            let alone = reader.read(snapshot.files, origin: snapshot.origin, knowing: &memory)
            let together = await reading.read(snapshot)
            #expect(together.origin == snapshot.origin)
            #expect(together.state == alone, "commit \(commit)")
            #expect(alone.deployments.count > 500 && alone.diagnostics.count > 100)
        }
    }

    @Test(arguments: [1, 8])
    func `a defaults.yaml is laid below what many threads read, and its values are explained`(cores: Int) async throws {
        let reader = ManifestReader()
        let reading = CommitReading(reader: reader, cores: cores)
        let id = DeploymentID(namespace: "default", name: "model-1")
        #expect(await reading.explain(id, in: "models") == nil)
        var memory = ManifestMemory()
        for (commit, spec) in [("1", nil), ("2", "{replicas: 2}"), ("3", "{replicas: 3}"), ("4", "{a: b}"), ("5", nil)]
        {
            let snapshot = Self.snapshot(commit, defaults: spec)
            let alone = reader.read(snapshot.files, origin: snapshot.origin, knowing: &memory)
            #expect(await reading.read(snapshot).state == alone, "commit \(commit)")
            #expect(alone.deployments.count > 500 || commit == "4" && alone.deployments.isEmpty)
            let explained = try #require(await reading.explain(id, in: "models"))
            #expect(explained.origin.commit == commit)
            let replicas = explained.spec.values.first { $0.field == "spec.replicas" }
            let wanted = ["1": "default", "2": "team/defaults.yaml:3", "3": "team/defaults.yaml:3", "5": "default"]
            #expect(replicas?.origin == wanted[commit])
        }
        #expect(await reading.explain(id, in: "others") == nil)
    }
}

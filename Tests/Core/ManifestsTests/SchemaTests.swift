import Deployments
import Foundation
import Manifests
import Testing

struct SchemaTests {
    private static func fileName(of kind: ManifestKind) -> String {
        switch kind {
        case .modelDeployment: "model-deployment.json"
        case .modelDeploymentDefaults: "model-deployment-defaults.json"
        case .servingRuntime: "serving-runtime.json"
        case .analysisTemplate: "analysis-template.json"
        case .freezeWindow: "freeze-window.json"
        }
    }

    @Test(arguments: ManifestKind.allCases)
    func `the schema knows exactly the fields that the decoder knows`(kind: ManifestKind) throws {
        let url = Repository.root.appending(path: "manifests/schema").appending(path: Self.fileName(of: kind))
        let schema = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        #expect(Set(definitions.keys).union([kind.rawValue]) == Set(kind.shapes.map(\.name)))
        for shape in kind.shapes {
            let definition = try #require(shape.name == kind.rawValue ? schema : definitions[shape.name])
            let properties = try #require(definition["properties"] as? [String: Any])
            #expect(Set(properties.keys) == Set(shape.names), "\(shape.name)")
            let required = definition["required"] as? [String] ?? []
            // A `defaults.yaml` may have what is missing here.
            let isCompleted = ["autoscaling", "affinity"].contains(shape.name)
            let wanted = isCompleted ? [] : shape.fields.filter(\.isRequired).map(\.name)
            #expect(Set(required) == Set(wanted), "\(shape.name)")
            #expect(definition["additionalProperties"] as? Bool == false, "\(shape.name)")
        }
    }
}

struct ReferenceDocumentTests {
    private static let document = "docs/reference/manifests.md"

    /// The blocks of one language, without their fences.
    static func blocks(_ language: String, in document: String) throws -> [String] {
        let text = try String(contentsOf: Repository.root.appending(path: document), encoding: .utf8)
        return text.components(separatedBy: "\n```\(language)\n").dropFirst().map { part in
            part.components(separatedBy: "\n```")[0] + "\n"
        }
    }

    @Test
    func `every example of the reference is valid`() throws {
        let manifests = try Self.blocks("yaml", in: Self.document)
        #expect(manifests.count == 15)
        var texts: [String: String] = [
            "embedder.yaml": Fixture.minimal("embedder", namespace: "search"),
            "golden/file-type.jsonl": try #require(try Self.blocks("json", in: Self.document).first),
        ]
        for (index, text) in manifests.enumerated() {
            texts[text.contains("kind: ModelDeploymentDefaults") ? "defaults.yaml" : "\(index).yaml"] = text
        }
        let state = Fixture.read(texts)
        #expect(state.diagnostics.map(\.description) == [])
        #expect(
            state.deployments.map(\.id.description) == ["default/file-type", "search/embedder", "search/file-type"]
        )
    }

    @Test
    func `the reference names every field`() throws {
        let text = try String(contentsOf: Repository.root.appending(path: Self.document), encoding: .utf8)
        for shape in ManifestKind.allCases.flatMap(\.shapes) {
            for name in shape.names { #expect(text.contains("\(name):") || text.contains("`\(name)"), "\(name)") }
        }
    }
}

import Deployments
import Manifests
import Testing

/// The runtimes that come with the product, as deployments find them.
struct ShippedRuntimesTests {
    /// A runtime, with what a deployment that names it must say.
    struct Shipped: Sendable, CustomTestStringConvertible {
        var runtime: String
        var format: String
        var parameters = "{}"
        var servingProtocol = ServingProtocol.openInferenceV2

        var testDescription: String { self.runtime }
    }

    static let shipped = [
        Shipped(runtime: "kserve", format: "sklearn", parameters: "{module: sklearnserver}"),
        Shipped(runtime: "mlflow", format: "mlflow", servingProtocol: .http),
        Shipped(runtime: "mlserver", format: "sklearn", parameters: "{implementation: mlserver_sklearn.SKLearnModel}"),
        Shipped(runtime: "onnx", format: "onnx", parameters: "{threads: \"1\"}"),
        Shipped(runtime: "tensorflow-serving", format: "tensorflow", servingProtocol: .tensorflow),
        Shipped(runtime: "torchserve", format: "torchserve", servingProtocol: .torchserve),
        Shipped(runtime: "triton", format: "onnx"),
        Shipped(runtime: "vllm", format: "huggingface", servingProtocol: .openai),
    ]

    @Test
    func `every shipped runtime is tried here`() throws {
        let paths = try Repository.files(in: "manifests/runtimes").map(\.path)
        #expect(paths == Self.shipped.map { "\($0.runtime).yaml" })
    }

    @Test(arguments: shipped)
    func `a deployment can name a shipped runtime`(_ shipped: Shipped) throws {
        let spec = try #require(try Self.spec(of: shipped, naming: "runtime: \(shipped.runtime)"))
        #expect(spec.runtime.name == shipped.runtime)
        #expect(spec.runtime.protocolName == shipped.servingProtocol)
        #expect(spec.runtime.formats.contains { $0.name == shipped.format })
    }

    @Test(arguments: [("onnx", "onnx"), ("sklearn", "mlserver"), ("mlflow", "mlflow"), ("tensorrt", "triton")])
    func `of two runtimes that claim a format the likelier one is taken`(format: String, runtime: String) throws {
        var shipped = try #require(Self.shipped.first { $0.runtime == runtime })
        shipped.format = format
        let spec = try #require(try Self.spec(of: shipped))
        #expect(spec.runtime.name == runtime)
    }

    @Test
    func `the demo's faulty runtime has no problems and is taken only by name`() throws {
        let library = try Repository.files(in: "manifests/runtimes") + Repository.files(in: "examples/demo/runtimes")
        #expect(ManifestReader(library: library).libraryDiagnostics.map(\.description) == [])
        let spec = try #require(try Self.spec(of: Self.shipped[3], library: library))
        #expect(spec.runtime.name == "onnx")
    }

    /// What a deployment of the runtime's format becomes; every problem with it fails the test.
    static func spec(
        of shipped: Shipped,
        naming runtime: String = "",
        library: [SourceFile]? = nil
    ) throws -> DeploymentSpec? {
        let text = """
            apiVersion: controller/v1
            kind: ModelDeployment
            metadata: {name: shipped}
            spec:
              model: {name: thing, version: "1", format: \(shipped.format), uri: file:///srv/models/thing}
              parameters: \(shipped.parameters)
              \(runtime)
            """
        let reader = ManifestReader(library: try library ?? Repository.files(in: "manifests/runtimes"))
        let state = reader.read(Fixture.files(["shipped.yaml": text]), origin: Fixture.origin)
        #expect(state.diagnostics.map(\.description) == [])
        return state.deployments.first
    }
}

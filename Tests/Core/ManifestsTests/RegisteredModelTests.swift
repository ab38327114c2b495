import Manifests
import Testing

@Suite("Models of a registry in manifests")
struct RegisteredModelTests {
    private static let uri = "https://models.example/magika/3.3.tar.gz"

    @Test
    func `a version with a digest is taken without a word`() {
        #expect(Fixture.problems(replacing: Self.uri, with: "models:/magika/7").isEmpty)
    }

    @Test
    func `an alias is taken, with the warning that it is pinned and what moves it`() {
        let problems = Fixture.problems(replacing: Self.uri, with: "models:/magika@champion")
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.contains("warning: spec.model.uri: the alias `champion` is resolved once") == true)
        #expect(problems.first?.contains("`controller promote-model`") == true)
    }

    @Test
    func `without a digest there is a warning, as MLflow keeps none`() throws {
        let state = Fixture.read(
            Fixture.minimal().replacing("uri: file:///srv/models/m.onnx", with: "uri: \"models:/magika/7\"")
        )
        #expect(state.diagnostics.count == 1, "\(state.diagnostics)")
        #expect(state.diagnostics.first?.severity == .warning)
        #expect(state.diagnostics.first?.message.contains("add `digest: sha256:…`") == true)
    }

    @Test(arguments: [
        ("models:/magika/Production", "`Production` is no version, and stages and `latest`"),
        ("models:/magika/latest", "`latest` is no version, and stages and `latest`"),
        ("models:/magika", "expected models:/NAME/VERSION or models:/NAME@ALIAS, found `models:/magika`: a name"),
        ("models:/magika/0", "expected models:/NAME/VERSION"), ("models:/magika@v7", "expected models:/NAME/VERSION"),
        ("models:/../7", "expected models:/NAME/VERSION"), ("models:magika/7", "expected models:/NAME/VERSION"),
        ("models://magika/7", "expected models:/NAME/VERSION"), ("mlflow:/magika/7", "write `models:/…`"),
        ("models://user:pa55@magika/7", "must not carry a user or a password"),
    ])
    func `other forms are refused with what to write`(uri: String, words: String) {
        let problems = Fixture.problems(replacing: Self.uri, with: uri)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.contains("error: spec.model.uri: ") == true, "\(problems)")
        #expect(problems.first?.contains(words) == true, "\(problems)")
        #expect(problems.first?.contains("pa55") == false)
    }
}

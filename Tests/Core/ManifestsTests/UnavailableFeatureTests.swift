import Manifests
import Testing

struct UnavailableFeatureTests {
    @Test(arguments: [
        ("https://models", "s3://models", "spec.model.uri: `s3`", "`https`"),
        ("https://models", "hf://models", "spec.model.uri: `hf`", "`https`"),
        ("https://models.example", "oci://models.example", "spec.model.uri: `oci`", "`models`"),
        ("{availability: {}}", "{ratio: {provider: p}}", "spec.slos[0].indicator.ratio: `ratio`", "AnalysisTemplate"),
    ])
    func `what this version lacks is refused with what to use instead`(
        old: String,
        new: String,
        what: String,
        instead: String
    ) {
        let problems = Fixture.problems(replacing: old, with: new)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.contains(": error: \(what)") == true, "\(problems)")
        #expect(problems.first?.contains("available in this version: ") == true, "\(problems)")
        #expect(problems.first?.contains(instead) == true, "\(problems)")
    }

    @Test
    func `images are refused`() {
        let runtime = Fixture.runtime.replacing("  startup:", with: "  image: x\n  startup:")
        let message = Fixture.read(["r.yaml": runtime]).diagnostics.first?.message
        #expect(message?.hasPrefix("`image` is not available in this version") == true)
    }
}

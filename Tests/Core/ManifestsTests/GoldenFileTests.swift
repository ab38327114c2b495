import Deployments
import Manifests
import Testing

struct GoldenFileTests {
    private func read(_ golden: String, at path: String = "golden.jsonl", limits: ManifestLimits = .init())
        -> DesiredState
    {
        let texts = [
            "models/a/m.yaml": Fixture.minimal(spec: "  golden: golden.jsonl"), path: golden, "r.yaml": Fixture.runtime,
        ]
        return Fixture.read(texts, limits: limits)
    }

    @Test
    func `requests and answers keep their text to the last digit`() throws {
        let spec = try #require(Fixture.read(Fixture.everything).deployments.last)
        #expect(
            spec.golden == [
                GoldenPrediction(
                    request: #"{"inputs": [{"data": [1.50]}]}"#,
                    expected: #"{"label": "python"}"#,
                    tolerance: 0.01
                ),
                GoldenPrediction(request: #"{"inputs": []}"#, expected: #"{"label": "zip"}"#),
            ]
        )
    }

    @Test(arguments: ["models/a/golden.jsonl", "models/golden.jsonl", "golden.jsonl"])
    func `the file is looked for in the manifest's folder and then above it`(path: String) {
        #expect(self.read(Fixture.golden, at: path).deployments.first?.golden.count == 2)
    }

    @Test
    func `a missing file is named with the nearest one`() {
        let state = self.read(Fixture.golden, at: "goldn.jsonl")
        #expect(
            state.diagnostics.map(\.message) == [
                "there is no file `golden.jsonl` in this folder or one above: did you mean `goldn.jsonl`?"
            ]
        )
        #expect(state.invalid.count == 1)
    }

    @Test(arguments: [
        (#"{"request": {}, "expected": {}"#, "1:31: error: not valid JSON: expected a comma or }"),
        ("\n\n[1]", "3:1: error: not valid JSON: expected an object, { … }"),
        (#"{"request": {}}"#, #"1:1: error: expected: `expected` is missing: add `"expected": {…}`"#),
        (
            #"{"request": {}, "expected": {}, "tolerence": 1}"#,
            "1:33: error: tolerence: unknown field `tolerence`: did you mean `tolerance`?"
        ),
        (
            #"{"request": {}, "expected": {}, "tolerance": -1}"#,
            "1:46: error: tolerance: expected a number that is not negative, such as 0.01"
        ),
        (
            #"{"request": {}, "expected": {}, "tolerance": "1"}"#,
            "1:46: error: tolerance: expected a number that is not negative, such as 0.01"
        ),
        (#"{"request": {}, "request": {}, "expected": {}}"#, "1:17: error: request: `request` is given twice"),
        (#"{"request": 01, "expected": {}}"#, "1:14: error: not valid JSON: expected a comma or }"),
        (#"{"request": "é\x", "expected": {}}"#, "1:16: error: not valid JSON: expected one of"),
        (#"{"request": {}, "expected": nul}"#, "1:29: error: not valid JSON: expected null"),
        (#"{"request": {}, "expected": {}} x"#, "1:33: error: not valid JSON: expected nothing after the object"),
        (#"{"request": {}, "expected": 1.}"#, "1:31: error: not valid JSON: expected a digit"),
        ("", "8:11: error: spec.golden: golden.jsonl has no predictions"),
    ])
    func `bad lines are reported in the golden file`(text: String, problem: String) {
        let state = self.read(text)
        let place = text.isEmpty ? "models/a/m.yaml" : "golden.jsonl"
        #expect(state.diagnostics.count == 1, "\(state.diagnostics)")
        #expect(state.diagnostics.first?.description.hasPrefix("\(place):\(problem)") == true, "\(state.diagnostics)")
        #expect(state.diagnostics.first?.deployment?.name == "file-type")
        #expect(state.deployments.isEmpty)
    }

    @Test
    func `sizes are limited`() {
        var limits = ManifestLimits()
        limits.goldenPredictions = 1
        #expect(
            self.read(Fixture.golden, limits: limits).diagnostics.first?.message.contains("more than 1 predictions")
                == true
        )
        limits.goldenBytes = 10
        #expect(
            self.read(Fixture.golden, limits: limits).diagnostics.first?.message.contains("at most 10 are read") == true
        )
        let deep = String(repeating: "[", count: 100_000)
        #expect(self.read("{\"request\": \(deep)").diagnostics.first?.message.contains("at most 64 deep") == true)
    }

    @Test
    func `surrogate pairs, escapes and every kind of value pass`() {
        let text =
            #"{"request": {"a": "\ud83d\ude00\/\"\\", "b": [true, false, null, -0.5e+10, 0]}, "expected": {"": []}}"#
        #expect(self.read(text).diagnostics.isEmpty)
    }
}

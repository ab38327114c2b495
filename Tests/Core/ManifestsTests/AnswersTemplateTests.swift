import Deployments
import Manifests
import Testing

struct AnswersTemplateTests {
    static let text = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: same-answers}
        spec:
          answers:
            compare: numeric
            tolerance: 0.01
            ignore: [id, "outputs[].name"]
            percent: 20%
            maxShare: 0.5%
        """

    private static func read(rollout: String, also texts: [String: String] = [:]) -> DesiredState {
        var files = ["m.yaml": Fixture.minimal(spec: "  rollout: \(rollout)"), "r.yaml": Fixture.runtime]
        files["t.yaml"] = Self.text
        return Fixture.read(files.merging(texts) { $1 })
    }

    @Test
    func `every field arrives`() throws {
        let state = Self.read(
            rollout: "{steps: [{shadow: {percent: 100}, gates: [errors, same-answers]}, {weight: 50}]}"
        )
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let rule = AnswerRule(
            method: .numeric,
            tolerance: 0.01,
            ignored: [
                AnswerPath(parts: [.member("id")]),
                AnswerPath(parts: [.member("outputs"), .everyElement, .member("name")]),
            ],
            percent: TrafficWeight(percent: 20),
            maximumShare: 0.005
        )
        #expect(
            state.deployments.first?.rollout.steps.first?.gates
                == [.errors, Gate(name: "same-answers", kind: .answers(rule))]
        )
    }

    @Test
    func `what is left out has its default`() throws {
        let text = """
            apiVersion: controller/v1
            kind: AnalysisTemplate
            metadata: {name: same-answers}
            spec: {answers: {compare: label}}
            """
        let state = Self.read(
            rollout: "{gates: [same-answers], steps: [{shadow: {percent: 100}}]}",
            also: ["t.yaml": text]
        )
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        #expect(
            state.deployments.first?.rollout.gates
                == [Gate(name: "same-answers", kind: .answers(AnswerRule(method: .label)))]
        )
    }

    @Test(arguments: [
        ("compare: numeric", "compare: same", "unknown value `same`"),
        ("    compare: numeric\n", "", "`compare` is missing: add for example `compare: label`"),
        ("tolerance: 0.01", "tolerance: 2", "expected a number from 0 to 1, found `2`"),
        ("compare: numeric", "compare: exact", "only `compare: numeric` has a tolerance"),
        ("tolerance: 0.01", "scores: a", "only `compare: label` looks for scores"),
        ("compare: numeric\n    tolerance: 0.01", "compare: label\n    scores: \"a[]\"", "`[]` is many places"),
        ("[id, ", "[id., ", "expected a place in an answer, such as"),
        ("percent: 20%", "percent: 0%", "expected a percentage from 1% to 100%"),
        ("maxShare: 0.5%", "maxShare: 0%", "expected percent with their sign"),
        ("maxShare: 0.5%", "maxShare: 100%", "expected percent with their sign"),
        ("maxShare: 0.5%", "maxShare: 0.5", "expected a text, found `0.5` without quotes"),
        ("maxShare: 0.5%", "maxShare: nan%", "expected percent with their sign"),
        ("answers:", "threshold: {query: q, max: 1}\n  answers:", "`threshold` and `answers` exclude each other"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) {
        precondition(Self.text.contains(old), "the text does not hold \(old)")
        let problems = Fixture.read(["t.yaml": Self.text.replacing(old, with: new)]).diagnostics.map(\.message)
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
    }

    @Test(arguments: [
        "{steps: [{weight: 50, gates: [same-answers]}]}",
        "{steps: [{approval: {}, gates: [same-answers]}, {weight: 50}]}",
        "{gates: [same-answers]}",
        "{gates: [same-answers], steps: [{shadow: {percent: 100}}, {weight: 50}]}",
        "{gates: [same-answers], steps: [{shadow: {percent: 100}, gates: [errors]}]}",
    ])
    func `only a step that copies requests can compare answers to them`(rollout: String) throws {
        let state = Self.read(rollout: rollout)
        #expect(state.deployments.isEmpty)
        let problem = try #require(state.diagnostics.first)
        #expect(problem.message.hasPrefix("`same-answers` compares answers to copies of requests, which only a"))
        #expect(problem.description.contains("gates[0]"))
    }

    @Test
    func `a step compares answers in one way`() {
        let other = Self.text.replacing("name: same-answers", with: "name: others")
        let state = Self.read(
            rollout: "{steps: [{shadow: {percent: 100}, gates: [same-answers, others]}]}",
            also: ["o.yaml": other]
        )
        #expect(
            state.diagnostics.map(\.message) == [
                "a step compares answers in one way, here that of `same-answers`: remove one of them"
            ]
        )
    }
}

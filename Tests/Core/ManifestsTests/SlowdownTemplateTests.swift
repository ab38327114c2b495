import Deployments
import Manifests
import Testing

struct SlowdownTemplateTests {
    static let text = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: slower}
        spec:
          slowdown:
            maxSlowerPairs: 55.5%
            maxRatio: 2
          onFailure: hold
        """

    private static func gates(_ names: String, template: String = Self.text) throws -> [Gate] {
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: "  rollout: {gates: [\(names)]}"), "r.yaml": Fixture.runtime,
            "t.yaml": template,
        ])
        try #require(state.diagnostics.isEmpty, "\(state.diagnostics)")
        return try #require(state.deployments.first?.rollout.gates)
    }

    @Test
    func `every field arrives`() throws {
        let rule = SlowdownRule(maximumPairs: 0.555, maximumRatio: 2)
        #expect(
            try Self.gates("errors, slower")
                == [.errors, Gate(name: "slower", kind: .slowdown(rule), onFailure: .hold)]
        )
    }

    @Test
    func `what is left out has its default`() throws {
        let text = Self.text.replacing("\n    maxSlowerPairs: 55.5%\n    maxRatio: 2", with: " {}")
            .replacing("\n  onFailure: hold", with: "")
        let rule = SlowdownRule(maximumPairs: 0.52, maximumRatio: nil)
        #expect(try Self.gates("slower", template: text) == [Gate(name: "slower", kind: .slowdown(rule))])
    }

    @Test
    func `it is built in, and off unless it is named`() throws {
        #expect(try Self.gates("errors, slowdown") == [.errors, .slowdown])
        #expect(!RolloutPolicy().gates.contains { if case .slowdown = $0.kind { true } else { false } })
        let problems = Fixture.read(["t.yaml": Self.text.replacing("name: slower", with: "name: slowdown")])
        #expect(
            problems.diagnostics.map(\.message)
                == ["`slowdown` is the name of a built-in gate: rename the AnalysisTemplate"]
        )
    }

    @Test(arguments: [
        ("55.5%", "50%", "expected percent with their sign from 50.5% to 95%, such as `52%`"),
        ("55.5%", "95.1%", "expected percent with their sign from 50.5% to 95%"),
        ("55.5%", "nan%", "expected percent with their sign from 50.5% to 95%"),
        ("55.5%", "\"55.5\"", "expected percent with their sign from 50.5% to 95%"),
        ("55.5%", "0.555", "expected a text, found `0.555` without quotes"),
        ("maxRatio: 2", "maxRatio: 0.9", "expected a number from 1 to 100, found `0.9`"),
        ("maxRatio: 2", "maxRatio: 101", "expected a number from 1 to 100"),
        ("maxSlowerPairs", "maxPairs", "unknown field `maxPairs`"),
        ("slowdown:", "answers: {compare: exact}\n  slowdown:", "`answers` and `slowdown` exclude each other"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) throws {
        precondition(Self.text.contains(old), "the text does not hold \(old)")
        let problems = Fixture.read(["t.yaml": Self.text.replacing(old, with: new)]).diagnostics
        let problem = try #require(problems.first { $0.message.hasPrefix(message) }, "\(problems)")
        #expect(problem.description.contains("t.yaml:"))
        #expect(problem.description.contains("spec"))
    }
}

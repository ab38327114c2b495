import Deployments
import Manifests
import Testing

/// What is read of a commit by who knows the one before is what is read by who knows nothing.
struct IncrementalReadingTests {
    private static func origin(_ number: Int) -> CommitReference {
        CommitReference(repository: "models", branch: "main", commit: "\(number)")
    }

    private static let runtime = Fixture.runtime.replacing("${parameters.threads}", with: "1")

    /// Some text for a file, of few names and routes, so that they clash.
    private static func text(_ dice: inout SeededGenerator) -> String {
        let names = ["a", "b", "c", "d", "e", "f", "g"]
        func deployment(_ dice: inout SeededGenerator) -> String {
            var lines = [
                "  model: {name: m, version: \"\(Int.random(in: 1...3, using: &dice))\", format: onnx, uri: \"file:///m\"}",
                "  route: {pathPrefix: /\(Int.random(in: 1...12, using: &dice))}",
            ]
            switch Int.random(in: 0..<14, using: &dice) {
            case 0, 6, 7, 8: lines.append("  dependsOn: [\(names.randomElement(using: &dice) ?? "a")]")
            case 1: lines.append("  runtime: onnx")
            case 2: lines.append("  runtime: special")
            case 3: lines.append("  golden: golden.jsonl")
            case 4: lines.append("  replicas: many")
            case 5: lines.append("  rollout: {gates: [errors, extra]}")
            default: break
            }
            let name = names.randomElement(using: &dice) ?? "a"
            let kind = Int.random(in: 0..<20, using: &dice) == 0 ? "ModelDeploymant" : "ModelDeployment"
            return "apiVersion: controller/v1\nkind: \(kind)\nmetadata: {name: \(name)}\nspec:\n"
                + lines.joined(separator: "\n") + "\n"
        }
        switch Int.random(in: 0..<50, using: &dice) {
        case 0: return Self.runtime
        case 1: return Self.runtime.replacing("{name: onnx}", with: "{name: special}")
        case 2: return Fixture.template.replacing("prediction-errors", with: "extra")
        case 3: return "a: [b"
        case 4: return deployment(&dice) + "---\n" + deployment(&dice)
        case 5: return deployment(&dice) + "---\n" + Self.runtime
        case 6: return "kind: Deployment\napiVersion: apps/v1\n"
        case 7: return deployment(&dice) + "---\na: [b"
        default: return deployment(&dice)
        }
    }

    /// Some text for a `defaults.yaml`, of which some concerns what the manifests say together.
    private static func defaults(_ dice: inout SeededGenerator) -> String {
        let number = Int.random(in: 1...12, using: &dice)
        let spec =
            switch Int.random(in: 0..<14, using: &dice) {
            case 0: "{replicas: many}"
            case 1: "{runtime: special}"
            case 2: "{route: {hosts: [\(number % 2).example]}}"
            case 3: "{dependsOn: [\(["a", "b", "c"][number % 3])]}"
            case 4: "{golden: golden.jsonl}"
            case 5: "{rollout: {gates: [errors, extra]}}"
            case 6: "{replicas: null}"
            case 7: "{}\n---\na: [b"
            default: "{replicas: \(number), resources: {gpu: \(number % 3)}}"
            }
        return Int.random(in: 0..<12, using: &dice) == 0
            ? Self.text(&dice) : DefaultsTests.defaults(spec, labels: "{number: \"\(number)\"}")
    }

    private static func files(_ texts: [String: String]) -> [SourceFile] {
        texts.sorted { $0.key < $1.key }.map { SourceFile(path: $0, blob: "\($1.hashValue)", bytes: Array($1.utf8)) }
    }

    @Test(arguments: UInt64(1)...24)
    func `whatever a commit changes, the next is read as if nothing was known`(seed: UInt64) {
        var dice = SeededGenerator(state: seed)
        let reader = ManifestReader(library: seed % 2 == 0 ? Self.files(["onnx.yaml": Self.runtime]) : [])
        let paths = ["a.yaml", "b.yaml", "team/a.yaml", "team/b.yaml", "team/c.yml", "team/x/d.yaml", "z.yaml"]
        var texts = seed % 2 == 0 ? [:] : ["runtime.yaml": Self.runtime]
        var memory = ManifestMemory()
        var memoryAhead = ManifestMemory()
        var (valid, decodedAhead) = (0, 0)
        for number in 0..<150 {
            for _ in 0..<Int.random(in: 0...2, using: &dice) {
                let path = paths.randomElement(using: &dice) ?? "a.yaml"
                texts[path] = Int.random(in: 0..<4, using: &dice) == 0 ? nil : Self.text(&dice)
            }
            if Int.random(in: 0..<4, using: &dice) == 0 {
                let folder = ["", "team/", "team/x/", "elsewhere/"].randomElement(using: &dice) ?? ""
                let isGone = Int.random(in: 0..<3, using: &dice) == 0
                texts["\(folder)defaults.yaml"] = isGone ? nil : Self.defaults(&dice)
            }
            if Int.random(in: 0..<12, using: &dice) == 0 {
                let golden = ["{\"request\": {}, \"expected\": {}}\n", "{\"request\": 1}\n"].randomElement(using: &dice)
                texts["golden.jsonl"] = texts["golden.jsonl"] == nil ? golden : nil
            }
            let files = Self.files(texts)
            var known = reader.read(files, origin: Self.origin(number), knowing: &memory)
            let anew = reader.read(files, origin: Self.origin(number))
            let undecoded = reader.undecoded(among: files, knowing: memoryAhead)
            let decoded = reader.decode(undecoded.files.shuffled(using: &dice), over: undecoded.defaults)
            let ahead = reader.read(files, origin: Self.origin(number), knowing: &memoryAhead, decoded: decoded)
            #expect(ahead == known, "commit \(number), decoded ahead")
            // Which commit it is of is another question.
            for index in known.deployments.indices { known.deployments[index].origin.commit = "\(number)" }
            #expect(known.deployments == anew.deployments, "commit \(number)")
            #expect(known.diagnostics == anew.diagnostics, "commit \(number)")
            #expect(known == anew, "commit \(number): \(texts.sorted { $0.key < $1.key })")
            if known != anew { return }
            valid += known.deployments.count
            decodedAhead += decoded.count
        }
        #expect(valid > 50, "there is something to remember")
        #expect(decodedAhead > 50, "there is something to decode ahead")
    }

    @Test
    func `a commit costs what it changes`() throws {
        let reader = ManifestReader(library: Self.files(["onnx.yaml": Self.runtime]))
        var texts = Dictionary(
            uniqueKeysWithValues: ["a", "b", "c"].map { name in
                ("\(name).yaml", Self.deployment(name, version: "1"))
            }
        )
        var memory = ManifestMemory()
        _ = reader.read(Self.files(texts), origin: Self.origin(1), knowing: &memory)
        texts["b.yaml"] = Self.deployment("b", version: "2")
        let state = reader.read(Self.files(texts), origin: Self.origin(2), knowing: &memory)
        #expect(state.diagnostics == [])
        #expect(state.deployments.map(\.origin.commit) == ["1", "2", "1"])
        #expect(state.deployments.map(\.model.version) == ["1", "2", "1"])
    }

    @Test
    func `a commit that changes a defaults.yaml costs the deployments below it, and no others`() throws {
        let reader = ManifestReader(library: Self.files(["onnx.yaml": Self.runtime]))
        var texts = Dictionary(
            uniqueKeysWithValues: ["a", "prod/b", "prod/eu/c", "production/d"].map { path in
                ("\(path).yaml", DefaultsTests.manifest(String(path.suffix(1))))
            }
        )
        texts["defaults.yaml"] = DefaultsTests.defaults("{replicas: 2}")
        var memory = ManifestMemory()
        var number = 0
        /// The commits that each was last read in, and what each wants.
        func read() -> [String] {
            number += 1
            let files = Self.files(texts)
            let undecoded = reader.undecoded(among: files, knowing: memory).files.map(\.path)
            let state = reader.read(files, origin: Self.origin(number), knowing: &memory)
            #expect(state.diagnostics == [])
            let reread = state.deployments.filter { $0.origin.commit == "\(number)" }.map(\.origin.path)
            #expect(undecoded.sorted() == reread.sorted(), "commit \(number)")
            return state.deployments.map { "\($0.id.name)\($0.replicas) in \($0.origin.commit)" }
        }
        #expect(read() == ["a2 in 1", "b2 in 1", "c2 in 1", "d2 in 1"])
        texts["prod/defaults.yaml"] = DefaultsTests.defaults("{replicas: 3}")
        #expect(read() == ["a2 in 1", "b3 in 2", "c3 in 2", "d2 in 1"])
        texts["prod/eu/defaults.yaml"] = DefaultsTests.defaults("{replicas: 4}")
        #expect(read() == ["a2 in 1", "b3 in 2", "c4 in 3", "d2 in 1"])
        texts["prod/b.yaml"] = DefaultsTests.manifest("b", "replicas: 5")
        #expect(read() == ["a2 in 1", "b5 in 4", "c4 in 3", "d2 in 1"])
        // Renamed, as a folder is.
        texts["production/defaults.yaml"] = texts.removeValue(forKey: "prod/defaults.yaml")
        #expect(read() == ["a2 in 1", "b5 in 5", "c4 in 5", "d3 in 5"])
        // What is gone goes back, and deletes nothing.
        texts["prod/eu/defaults.yaml"] = nil
        #expect(read() == ["a2 in 1", "b5 in 5", "c2 in 6", "d3 in 5"])
        texts["defaults.yaml"] = nil
        #expect(read() == ["a1 in 7", "b5 in 7", "c1 in 7", "d3 in 7"])
    }

    @Test
    func `broken defaults hold back what is below them until they are mended, and no others`() {
        let reader = ManifestReader(library: Self.files(["onnx.yaml": Self.runtime]))
        var texts = ["a.yaml": DefaultsTests.manifest("a"), "prod/b.yaml": DefaultsTests.manifest("b")]
        var memory = ManifestMemory()
        for (number, spec) in ["{replicas: 2}", "{replicas: many}", "{replicas: 3}"].enumerated() {
            texts["prod/defaults.yaml"] = DefaultsTests.defaults(spec)
            let state = reader.read(Self.files(texts), origin: Self.origin(number), knowing: &memory)
            #expect(state.deployments.first?.origin.commit == "0")
            #expect(state.deployments.count == (number == 1 ? 1 : 2))
            #expect(state.invalid.map(\.name) == (number == 1 ? ["b"] : []))
            #expect(state.diagnostics.count == (number == 1 ? 1 : 0))
        }
    }

    private static func deployment(_ name: String, version: String) -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name)}
        spec:
          model: {name: m, version: "\(version)", format: onnx, uri: "file:///m"}
          route: {pathPrefix: /\(name)}

        """
    }
}

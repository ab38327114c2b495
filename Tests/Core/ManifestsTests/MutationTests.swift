import Deployments
import Manifests
import Testing

/// SplitMix64: the same mutations on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

struct MutationTests {
    private static let tokens = [
        "{", "}", "[", "]", ": ", "- ", "\n", "---\n", "&a ", "*a", "<<: ", "!!str ", "\"", "'", "|\n", ">\n", "#",
        "? ",
        "\t", "\u{0}", "\u{FEFF}", "\u{2028}", "\u{85}", "\r", "é", "99999999999999999999", "-1", "null", "true", "${",
        "}",
        "100%", "1e400", "%YAML 1.2\n", "...\n", "0x", "weight", "name", "  ",
    ]

    /// Swaps, removes, doubles or inserts a few bytes, lines or tokens.
    private func mutate(_ text: [UInt8], with generator: inout SeededGenerator) -> [UInt8] {
        var bytes = text
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0...bytes.count, using: &generator)
            let end = min(bytes.count, index + Int.random(in: 0...20, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes.removeSubrange(index..<end)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            case 2:
                bytes.insert(
                    contentsOf: Self.tokens.randomElement(using: &generator)?.utf8.map(\.self) ?? [],
                    at: index
                )
            case 3: bytes.replaceSubrange(index..<end, with: bytes[index..<end].reversed())
            case 4: bytes.insert(contentsOf: Array(bytes[index..<end]), at: index)
            case 5: bytes.removeSubrange(end...)
            default:
                var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
                let (a, b) = (
                    Int.random(in: 0..<lines.count, using: &generator),
                    Int.random(in: 0..<lines.count, using: &generator)
                )
                lines.swapAt(a, b)
                bytes = Array(lines.joined(separator: [10]))
            }
        }
        return bytes
    }

    @Test(arguments: Fixture.everything.keys.sorted())
    func `no mutation of a file crashes, and what is not served is explained inside a file`(path: String) throws {
        let original = Array(try #require(Fixture.everything[path]).utf8)
        let reader = ManifestReader()
        for seed in 0..<250 as Range<UInt64> {
            var generator = SeededGenerator(state: seed)
            let mutated = self.mutate(original, with: &generator)
            var files = Fixture.files(Fixture.everything)
            files.removeAll { $0.path == path }
            files.append(SourceFile(path: path, blob: "", bytes: mutated))
            let state = reader.read(files, origin: Fixture.origin)
            for diagnostic in state.diagnostics {
                let bytes = files.first { $0.path == diagnostic.path }?.bytes ?? []
                let lines = bytes.count { $0 == 10 } + (bytes.last == 10 ? 0 : 1)
                #expect((1...max(1, lines)).contains(diagnostic.line), "seed \(seed): \(diagnostic)")
                #expect(diagnostic.column >= 1 && !diagnostic.message.isEmpty, "seed \(seed): \(diagnostic)")
            }
            let hasErrors = state.diagnostics.contains { $0.severity == .error }
            #expect(state.deployments.allSatisfy { !state.invalid.contains($0.id) }, "seed \(seed)")
            if !state.invalid.isEmpty || !state.unreadable.isEmpty { #expect(hasErrors, "seed \(seed)") }
            if state.deployments.isEmpty { #expect(hasErrors, "seed \(seed)") }
        }
    }

    @Test
    func `no field of the complete manifests is ignored`() {
        let texts = ["m.yaml": Fixture.complete, "r.yaml": Fixture.runtime, "t.yaml": Fixture.template]
        for (path, text) in texts {
            guard let root = YAMLStream(parsing: Array(text.utf8)).documents.first?.root else { continue }
            for (field, position) in Self.leaves(of: root, path: "") {
                // What no field accepts: a list in a list in its place.
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                let line = Array(lines[position.line - 1])
                let head = String(line[..<(position.column - 1)])
                let rest = Self.afterScalar(line[(position.column - 1)...])
                var changed = lines.map(String.init)
                changed[position.line - 1] = head + "[[[]]]" + rest
                var files = Fixture.everything
                let old = Fixture.everything.first { $0.value == text }?.key ?? path
                files[old] = changed.joined(separator: "\n")
                let state = Fixture.read(files)
                #expect(
                    state.diagnostics.contains { $0.path == old && $0.line == position.line && $0.severity == .error },
                    "\(path): \(field) may hold anything"
                )
            }
        }
    }

    private static func leaves(of node: YAMLNode, path: String) -> [(String, TextPosition)] {
        switch node.content {
        case .scalar: [(path, node.position)]
        case .sequence(let items): items.flatMap { self.leaves(of: $0, path: path + "[]") }
        case .mapping(let members):
            members.isEmpty
                ? [(path, node.position)] : members.flatMap { self.leaves(of: $0.value, path: "\(path).\($0.key)") }
        }
    }

    /// What stands behind the scalar, or the empty mapping, that `line` begins with.
    private static func afterScalar(_ line: ArraySlice<Character>) -> String {
        if line.first == "\"" || line.first == "'" {
            guard let end = line.dropFirst().firstIndex(of: line[line.startIndex]) else { return "" }
            return String(line[(end + 1)...])
        }
        if line.first == "{" { return String(line.dropFirst(2)) }
        return String(line.drop { !",]}".contains($0) })
    }
}

import Manifests
import Testing

struct YAMLStreamTests {
    private func problems(of text: String, limits: ManifestLimits = ManifestLimits()) -> [String] {
        self.problems(of: Array(text.utf8), limits: limits)
    }

    private func problems(of bytes: [UInt8], limits: ManifestLimits = ManifestLimits()) -> [String] {
        let stream = YAMLStream(parsing: bytes, limits: limits)
        let problems = stream.documents.flatMap(\.problems) + (stream.failure.map { [$0] } ?? [])
        return problems.map { "line \($0.position.line), column \($0.position.column): \($0.message)" }
    }

    @Test
    func `every node knows its line and column`() throws {
        let text = "# a comment\na:\n  - b: é\n    c: [1, {d: 2}]\n"
        let document = try #require(YAMLStream(parsing: Array(text.utf8)).documents.first)
        #expect(document.problems.isEmpty)
        let list = try #require(document.root["a"])
        guard case .sequence(let items) = list.content, let item = items.first else {
            Issue.record("no list: \(list)")
            return
        }
        #expect(list.position == TextPosition(line: 3, column: 3))
        #expect(item["b"]?.position == TextPosition(line: 3, column: 8))
        #expect(item["b"]?.scalarText == "é")
        guard case .sequence(let inner) = item["c"]?.content, inner.count == 2 else {
            Issue.record("no inner list")
            return
        }
        #expect(inner[1]["d"]?.position == TextPosition(line: 4, column: 16))
    }

    @Test
    func `documents without content are left out`() {
        let stream = YAMLStream(parsing: Array("---\n# nothing\n---\na: 1\n---\n...\n---\nb: 2\n".utf8))
        #expect(stream.documents.count == 2)
        #expect(stream.failure == nil)
        #expect(YAMLStream(parsing: []).documents.isEmpty)
        #expect(YAMLStream(parsing: []).failure == nil)
    }

    @Test
    func `a byte order mark moves no column`() {
        let stream = YAMLStream(parsing: [0xEF, 0xBB, 0xBF] + Array("a: b\n".utf8))
        #expect(stream.documents.first?.root["a"]?.position == TextPosition(line: 1, column: 4))
    }

    @Test(arguments: [
        ("a: &x 1\n", "line 1, column 4: anchors are not allowed: remove &x"),
        ("a: 1\nb: *x\n", "line 2, column 4: "),
        ("x: &b {c: 1}\na:\n  <<: *b\n", "line 3, column 3: merge keys are not allowed"),
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: `a` is given twice, first in line 1"),
        ("a: {b: 1, b: 2}\n", "line 1, column 11: `b` is given twice"),
        ("a: !!python/object:os.system {}\n", "line 1, column 4: tags are not allowed"),
        ("a: !secret x\n", "line 1, column 4: tags are not allowed: remove `!secret`"),
        ("? [a, b]\n: c\n", "line 1, column 3: a key must be a plain name"),
        ("a: b: c\n", "line 1, column 5: not valid YAML: mapping values are not allowed in this context"),
        ("a:\n\t- b\n", "line 2, column 1: not valid YAML: found character that cannot start any token"),
        ("a: [1, 2\n", "line 1, column 1: not valid YAML: did not find expected ',' or ']'"),
        ("a: \"b\n", "line 1, column 1: not valid YAML: found unexpected end of stream"),
        ("a: b\u{1}\n", "line 1, column 5: not readable as YAML: control characters are not allowed"),
    ])
    func `what could mean two things is refused where it stands`(text: String, problem: String) {
        let problems = self.problems(of: text)
        #expect(problems.contains { $0.hasPrefix(problem) }, "\(problems)")
    }

    @Test
    func `invalid UTF-8 is refused with its place`() {
        let problems = self.problems(of: Array("a: 1\nb: é".utf8) + [0xC3, 0x28])
        #expect(problems == ["line 2, column 5: the file is not UTF-8 from here on: save it as UTF-8"])
        // UTF-16 with its byte order mark
        #expect(self.problems(of: [0xFF, 0xFE, 0x61, 0x00]).count == 1)
    }

    @Test
    func `limits end the reading with a message`() {
        var limits = ManifestLimits()
        limits.documents = 2
        #expect(
            self.problems(of: "a: 1\n---\na: 1\n---\na: 1\n", limits: limits).first?.contains("2 documents") == true
        )
        limits.nodes = 5
        #expect(self.problems(of: "[1, 2, 3, 4, 5]", limits: limits).first?.contains("at most 5 values") == true)
        limits.fileBytes = 3
        #expect(self.problems(of: "a: 1", limits: limits).first?.contains("at most 3 are read") == true)
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func `bottomless nesting ends at the limit`(opening: String) {
        let text = String(repeating: opening, count: 200_000)
        #expect(self.problems(of: text).first?.contains("at most 64 deep") == true)
    }

    @Test
    func `sixty-four levels are read`() {
        let text = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(self.problems(of: text).isEmpty)
        #expect(!self.problems(of: "[" + text + "]").isEmpty)
    }

    @Test
    func `documents before a syntax error are read`() {
        let stream = YAMLStream(parsing: Array("a: 1\n---\nb: [\n".utf8))
        #expect(stream.documents.count == 1)
        #expect(stream.failure?.position.line == 3)
    }
}

struct YAMLScalarTests {
    @Test(arguments: [
        "no", "yes", "on", "off", "y", "1:30", "1_000", "0o8", "0x", "1e", ".", "-", "+", "5\u{301}", "١",
    ])
    func `what only YAML 1.1 converts is a string`(text: String) {
        #expect(YAMLScalar(text: text, isPlain: true).meaning == .string)
    }

    @Test(arguments: ["0", "-12", "+3", "0o17", "0xFF", "3.10", ".5", "5.", "1e5", "-1.5E-3", ".inf", "-.inf", ".nan"])
    func `numbers are numbers unless they stand in quotes`(text: String) {
        #expect(YAMLScalar(text: text, isPlain: true).meaning == .number)
        #expect(YAMLScalar(text: text, isPlain: false).meaning == .string)
    }

    @Test
    func `nothing and booleans have three spellings each`() {
        #expect(["", "~", "null"].allSatisfy { YAMLScalar(text: $0, isPlain: true).meaning == .null })
        #expect(YAMLScalar(text: "True", isPlain: true).meaning == .boolean(true))
        #expect(YAMLScalar(text: "tRUE", isPlain: true).meaning == .string)
    }
}

import ControllerCommands
import Foundation
import Manifests
import Testing

/// Nothing of the input is dropped in silence: by changing every line of it.
@Suite("import accounts for every field")
struct ImportPropertyTests {
    /// A scalar of the input: where it is, and what it is called.
    private struct Scalar {
        var field: String
        var position: TextPosition
        var text: String
        /// Of its document.
        var lines = 1...1
    }

    /// A mapping of the input, by the place of its first key.
    private struct Mapping {
        var field: String
        var position: TextPosition
        var lines = 1...1
    }

    private static func walk(
        _ node: YAMLNode,
        _ path: String,
        _ scalars: inout [Scalar],
        _ mappings: inout [Mapping]
    ) {
        switch node.content {
        case .scalar(let scalar): scalars.append(Scalar(field: path, position: node.position, text: scalar.text))
        case .sequence(let items):
            for (index, item) in items.enumerated() { Self.walk(item, "\(path)[\(index)]", &scalars, &mappings) }
        case .mapping(let members):
            if let first = members.first { mappings.append(Mapping(field: path, position: first.keyPosition)) }
            for member in members {
                let isPlain = member.key.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil
                let step = isPlain ? (path.isEmpty ? member.key : ".\(member.key)") : "[\"\(member.key)\"]"
                Self.walk(member.value, path + step, &scalars, &mappings)
            }
        }
    }

    private static func parts(of text: String) -> (scalars: [Scalar], mappings: [Mapping]) {
        var (scalars, mappings): ([Scalar], [Mapping]) = ([], [])
        let documents = YAMLStream(parsing: Array(text.utf8)).documents
        for (index, document) in documents.enumerated() {
            // Of what is ignored as a whole, the kind alone is told.
            if document.root["kind"]?.scalarText == "Service" { continue }
            let start = document.root.position.line
            let end = index + 1 < documents.count ? documents[index + 1].root.position.line - 1 : 100_000
            var found: ([Scalar], [Mapping]) = ([], [])
            Self.walk(document.root, "", &found.0, &found.1)
            for var scalar in found.0 {
                scalar.lines = start...end
                scalars.append(scalar)
            }
            for var mapping in found.1 {
                mapping.lines = start...end
                mappings.append(mapping)
            }
        }
        return (scalars, mappings)
    }

    @Test(arguments: ImportFixture.inputs)
    func `a field that nobody knows is listed wherever it stands`(name: String) async throws {
        let fixture = try ImportFixture()
        let text = try ImportFixture.input(name)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let mappings = Self.parts(of: text).mappings.filter { mapping in
            // Block style: nothing but dashes and blanks before the key.
            lines[mapping.position.line - 1].prefix(mapping.position.column - 1).allSatisfy { $0 == " " || $0 == "-" }
        }
        #expect(mappings.count > 40)
        for mapping in mappings {
            var changed = lines
            let line = changed[mapping.position.line - 1]
            let margin = String(repeating: " ", count: mapping.position.column - 1)
            let start = line.prefix(mapping.position.column - 1)
            let rest = line.dropFirst(mapping.position.column - 1)
            changed.replaceSubrange(
                (mapping.position.line - 1)...(mapping.position.line - 1),
                with: ["\(start)zz-unknown: \"7\"", margin + rest]
            )
            let report = try await fixture.report(on: changed.joined(separator: "\n"))
            let field = mapping.field.isEmpty ? "zz-unknown" : "\(mapping.field).zz-unknown"
            let isCarried = report.manifests.contains { $0.yaml.contains("zz-unknown") }
            #expect(
                report.tells(of: field, in: mapping.lines) || isCarried,
                "\(name):\(mapping.position.line): \(field)"
            )
        }
    }

    @Test(arguments: ImportFixture.inputs)
    func `a value that changes shows in a manifest, or is listed`(name: String) async throws {
        let fixture = try ImportFixture()
        let text = try ImportFixture.input(name)
        let before = try await fixture.report(on: text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let scalars = Self.parts(of: text).scalars.filter { !$0.text.contains("\n") && !$0.text.isEmpty }
        #expect(scalars.count > 60)
        for scalar in scalars where !["apiVersion", "kind"].contains(scalar.field) {
            var changed = lines
            let line = changed[scalar.position.line - 1]
            let (start, rest) = (line.prefix(scalar.position.column - 1), line.dropFirst(scalar.position.column - 1))
            let range = try #require(rest.range(of: scalar.text), "\(scalar.field)")
            let other: String =
                switch scalar.text {
                case "true": "false"
                case "false": "true"
                default: Int(scalar.text).map { "\($0 * 10 + 1)" } ?? "\(scalar.text)x"
                }
            changed[scalar.position.line - 1] = start + rest.replacingCharacters(in: range, with: other)
            let after = try await fixture.report(on: changed.joined(separator: "\n"))
            #expect(
                after.manifests != before.manifests || after.findings != before.findings
                    || before.tells(of: scalar.field, in: scalar.lines),
                "\(name):\(scalar.position.line): \(scalar.field) = \(other)"
            )
        }
    }
}

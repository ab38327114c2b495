package import Deployments

extension ManifestText {
    /// Makes a deployment's manifest name another version of its model. Its `version`, `uri` and `digest` change where
    /// they stand, quoted as they were; everything else stays as its author wrote it, byte for byte.
    ///
    /// - Parameters:
    ///   - id: Whose manifest.
    ///   - promotion: What it is to name. Without a digest, the manifest's goes: it would be that of other bytes.
    ///   - limits: Of what is read again.
    /// - Returns: Whether anything changed.
    /// - Throws: When the manifest names neither version, or is written in a way in which a program cannot change it
    ///   exactly. (A `defaults.yaml` cannot hold a model, so that all of it stands here.)
    package mutating func promote(
        _ id: DeploymentID,
        to promotion: ModelPromotion,
        limits: ManifestLimits = ManifestLimits()
    ) throws(Refusal) -> Bool {
        let index = try self.index(of: id)
        let text = try ManifestDocument(Array(self.documents[index]), limits: limits)
        for key in ["version", "uri"] where text.model?[key] == nil {
            throw Refusal(reason: "has no `spec.model.\(key)`: add it first")
        }
        let values: [(key: String, new: String?)] = [
            ("version", promotion.version), ("uri", promotion.uri), ("digest", promotion.digest),
        ]
        if values.allSatisfy({ text.model?[$0.key]?.scalarText == $0.new }) { return false }
        guard let uri = text.model?["uri"]?.scalarText, uri == promotion.previous || uri == promotion.uri else {
            throw Refusal(reason: "does not name \(promotion.previous) any more: it was changed since")
        }
        var edits: [ManifestDocument.Edit] = []
        for value in values {
            if let edit = try text.edit(value.key, to: value.new) { edits.append(edit) }
        }
        let new = text.applying(edits)
        var other = self
        other.documents[index] = new[...]
        guard try text.differs(from: ManifestDocument(new, limits: limits), onlyIn: values),
            YAMLStream(parsing: other.bytes, limits: limits).documents.count
                == YAMLStream(parsing: self.bytes, limits: limits).documents.count
        else { throw Refusal(reason: "\(ManifestDocument.inexact): change the version by hand") }
        self = other
        return true
    }
}

/// The text of one manifest, and where its model's values stand in it.
private struct ManifestDocument {
    typealias Refusal = ManifestText.Refusal

    /// A piece of the text, and what takes its place.
    struct Edit {
        var range: Range<Int>
        var bytes: [UInt8]
    }

    let bytes: [UInt8]
    let root: YAMLNode
    /// Its first byte that YAML counts.
    private let start: Int

    static let inexact = "is written in a way that a program cannot change without changing more"

    init(_ bytes: [UInt8], limits: ManifestLimits) throws(Refusal) {
        let stream = YAMLStream(parsing: bytes, limits: limits)
        guard let document = stream.documents.first, stream.documents.count == 1, stream.failure == nil else {
            throw Refusal(reason: Self.inexact)
        }
        if let problem = document.problems.first {
            throw Refusal(reason: "is no valid manifest (\(problem.message)): mend it first")
        }
        self.bytes = bytes
        self.root = document.root
        self.start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    var model: YAMLNode? { self.root["spec"]?["model"] }

    // MARK: - Edits

    /// What sets a member of the model, or takes it away.
    ///
    /// - Returns: Nothing when it is so already.
    /// - Throws: When it is written in another way than on one line.
    func edit(_ key: String, to value: String?) throws(Refusal) -> Edit? {
        let member = self.model?.members(named: [key]).first
        switch (member, value) {
        case (nil, nil): return nil
        case (let member?, nil): return try self.removal(of: member)
        case (nil, let value?): return try self.insertion(of: key, value)
        case (let member?, let value?):
            if member.value.scalarText == value { return nil }
            let token = try self.token(of: member.value)
            return Edit(range: token.range, bytes: try Self.written(value, quote: token.quote))
        }
    }

    /// A value on one line, with its quotes.
    private struct Token {
        var range: Range<Int>
        /// Nothing of plain ones.
        var quote: UInt8?
    }

    private func token(of node: YAMLNode) throws(Refusal) -> Token {
        let offset = try self.offset(of: node.position)
        guard case .scalar(let scalar) = node.content, offset < self.bytes.endIndex else {
            throw Refusal(reason: Self.inexact)
        }
        let quote = self.bytes[offset]
        guard !scalar.isPlain else {
            let text = Array(scalar.text.utf8)
            guard !text.isEmpty, self.bytes[offset...].starts(with: text) else { throw Refusal(reason: Self.inexact) }
            return Token(range: offset..<offset + text.count)
        }
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw Refusal(reason: Self.inexact) }
        let end = self.bytes[(offset + 1)...].firstIndex { $0 == quote || "\n\\".utf8.contains($0) }
        // What has escapes, or goes over several lines, is none that a version or a URI needs.
        guard let end, self.bytes[end] == quote, self.bytes[(offset + 1)..<end].elementsEqual(scalar.text.utf8) else {
            throw Refusal(reason: Self.inexact)
        }
        return Token(range: offset..<end + 1, quote: quote)
    }

    /// The value as it was quoted; one without quotes gets some where it would be read as something else.
    private static func written(_ value: String, quote: UInt8?) throws(Refusal) -> [UInt8] {
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"'\\#".utf8.contains($0) })
        else {
            throw Refusal(reason: "cannot name a version with such characters: letters, digits, . _ - and + can be")
        }
        let isPlain =
            YAMLScalar(text: value, isPlain: true).meaning == .string && value.first?.isLetter == true
            && value.last != ":" && !value.utf8.contains { ",[]{}".utf8.contains($0) }
        guard let quote = quote ?? (isPlain ? nil : UInt8(ascii: "\"")) else { return Array(value.utf8) }
        return [quote] + Array(value.utf8) + [quote]
    }

    /// Behind the URI: on a line of its own, or in the braces.
    private func insertion(of key: String, _ value: String) throws(Refusal) -> Edit {
        guard let model = self.model, let uri = model.members(named: ["uri"]).first else {
            throw Refusal(reason: Self.inexact)
        }
        let token = try self.token(of: uri.value)
        let member = Array("\(key): ".utf8) + (try Self.written(value, quote: token.quote))
        guard try !self.isInBraces(model) else {
            let place = token.range.upperBound
            return Edit(range: place..<place, bytes: Array(", ".utf8) + member)
        }
        let line = try self.line(of: uri)
        let place = line.range.upperBound
        let lines = self.bytes[line.range]
        let lineEnd = Array((lines.suffix(2).elementsEqual("\r\n".utf8) ? "\r\n" : "\n").utf8)
        let isCut = lines.last != UInt8(ascii: "\n")
        return Edit(
            range: place..<place,
            bytes: isCut ? lineEnd + line.indent + member : line.indent + member + lineEnd
        )
    }

    private func removal(of member: YAMLNode.Member) throws(Refusal) -> Edit {
        guard let model = self.model, try self.isInBraces(model) else {
            return Edit(range: try self.line(of: member).range, bytes: [])
        }
        let key = try self.offset(of: member.keyPosition)
        var end = try self.token(of: member.value).range.upperBound
        let after = self.bytes[end...].firstIndex { $0 != UInt8(ascii: " ") } ?? end
        if self.bytes[after...].first == UInt8(ascii: ",") {
            end = self.bytes[(after + 1)...].firstIndex { $0 != UInt8(ascii: " ") } ?? after + 1
            return Edit(range: key..<end, bytes: [])
        }
        let comma = self.bytes[..<key].lastIndex { !" \r\n".utf8.contains($0) }
        guard let comma, self.bytes[comma] == UInt8(ascii: ",") else { throw Refusal(reason: Self.inexact) }
        return Edit(range: comma..<end, bytes: [])
    }

    func applying(_ edits: [Edit]) -> [UInt8] {
        var bytes = self.bytes
        for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            bytes.replaceSubrange(edit.range, with: edit.bytes)
        }
        return bytes
    }

    // MARK: - Places

    private func isInBraces(_ node: YAMLNode) throws(Refusal) -> Bool {
        self.bytes[try self.offset(of: node.position)] == UInt8(ascii: "{")
    }

    /// The one line that a member has for itself, with its end.
    private func line(of member: YAMLNode.Member) throws(Refusal) -> (range: Range<Int>, indent: [UInt8]) {
        let key = try self.offset(of: member.keyPosition)
        let token = try self.token(of: member.value)
        let lineFeed = UInt8(ascii: "\n")
        let start = self.bytes[..<key].lastIndex(of: lineFeed).map { $0 + 1 } ?? self.start
        let end = self.bytes[token.range.upperBound...].firstIndex(of: lineFeed).map { $0 + 1 } ?? self.bytes.endIndex
        let indent = self.bytes[start..<key]
        guard indent.allSatisfy({ $0 == UInt8(ascii: " ") }),
            !self.bytes[key..<token.range.lowerBound].contains(lineFeed)
        else { throw Refusal(reason: Self.inexact) }
        return (start..<end, Array(indent))
    }

    private func offset(of position: TextPosition) throws(Refusal) -> Int {
        var offset = self.start
        for _ in 1..<max(1, position.line) {
            guard let end = self.bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) else {
                throw Refusal(reason: Self.inexact)
            }
            offset = end + 1
        }
        var column = 1
        while column < position.column, offset < self.bytes.endIndex {
            offset += 1
            while offset < self.bytes.endIndex, self.bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            column += 1
        }
        guard offset < self.bytes.endIndex else { throw Refusal(reason: Self.inexact) }
        return offset
    }

    // MARK: - Proof

    /// Whether the other one says the same, but for these values of its model.
    func differs(from other: ManifestDocument, onlyIn values: [(key: String, new: String?)]) -> Bool {
        guard let spec = self.root["spec"], var model = self.model else { return false }
        for value in values { model = model.with(value.key, value.new) }
        let wanted = self.root.with("spec", node: spec.with("model", node: model))
        return wanted.says(theSameAs: other.root)
    }
}

extension YAMLNode {
    /// The mapping with a text as one of its values, or without that one.
    fileprivate func with(_ key: String, _ text: String?) -> YAMLNode {
        let scalar = text.map { YAMLScalar(text: $0, isPlain: false) }
        return self.with(key, node: scalar.map { YAMLNode(content: .scalar($0), position: self.position) })
    }

    fileprivate func with(_ key: String, node: YAMLNode?) -> YAMLNode {
        guard case .mapping(var members) = self.content else { return self }
        let index = members.firstIndex { $0.key == key }
        switch (index, node) {
        case (let index?, let node?): members[index].value = node
        case (let index?, nil): members.remove(at: index)
        case (nil, let node?): members.append(Member(key: key, keyPosition: self.position, value: node))
        case (nil, nil): break
        }
        return YAMLNode(content: .mapping(members), position: self.position)
    }
}

package import Deployments

/// The text of a file of manifests, document by document, so that one can be put in another's place and everything
/// else stays as its author wrote it, byte for byte.
package struct ManifestText: Hashable, Sendable {
    /// Each from its `---` on; what is before the first is one too, if there is anything.
    var documents: [ArraySlice<UInt8>]

    package struct Refusal: Error, Hashable, Sendable {
        package var reason: String

        package init(reason: String) { self.reason = reason }
    }

    /// - Throws: When the text is no YAML, or has marks that leave open where a document begins.
    package init(_ bytes: [UInt8], limits: ManifestLimits = ManifestLimits()) throws(Refusal) {
        let stream = YAMLStream(parsing: bytes, limits: limits)
        guard stream.failure == nil else { throw Refusal(reason: "cannot be read as YAML") }
        self.documents = []
        var start = bytes.startIndex
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.endIndex
            let line = bytes[index..<end]
            // Three dashes at the beginning of a line are always a mark: YAML forbids them in any text.
            if line.starts(with: "...".utf8) || line.starts(with: "%".utf8) {
                throw Refusal(reason: "has a line that begins with `...` or `%`")
            }
            if Self.isMark(line) {
                if start < index { self.documents.append(bytes[start..<index]) }
                start = index
            }
            index = end
        }
        if start < bytes.endIndex { self.documents.append(bytes[start...]) }
    }

    package var bytes: [UInt8] { self.documents.flatMap(\.self) }

    /// Puts a deployment's manifest of another text in the place of its own.
    ///
    /// - Parameters:
    ///   - id: Whose manifest.
    ///   - other: Where it is taken from.
    ///   - base: What the manifest must still be here: when somebody changed it since, nothing is replaced.
    /// - Returns: Whether anything changed.
    /// - Throws: When one of the texts does not hold the manifest, or not alone in its document.
    package mutating func replace(
        _ id: DeploymentID,
        by other: ManifestText,
        where base: ManifestText
    ) throws(Refusal) -> Bool {
        let index = try self.index(of: id)
        let new = other.body(at: try other.index(of: id))
        let own = self.body(at: index)
        if own == new { return false }
        guard base.body(at: try base.index(of: id)) == own else {
            throw Refusal(reason: "was changed since")
        }
        var document = Self.mark(of: self.documents[index]) + new
        let isLast = index == self.documents.index(before: self.documents.endIndex)
        if !isLast, document.last != UInt8(ascii: "\n") { document.append(UInt8(ascii: "\n")) }
        self.documents[index] = document[...]
        return true
    }

    /// What lies below a manifest in some commit.
    package struct Surroundings: Sendable {
        /// Where the manifest is.
        package var path: String
        /// Each `defaults.yaml` above it.
        package var defaults: [SourceFile]

        package init(path: String, defaults: [SourceFile]) {
            self.path = path
            self.defaults = defaults
        }
    }

    /// Whether a deployment's manifest says the same in two places or at two times.
    ///
    /// - Throws: When the text does not hold the manifest.
    package func means(
        theSameOf id: DeploymentID,
        in here: Surroundings,
        as there: Surroundings,
        limits: ManifestLimits = ManifestLimits()
    ) throws(Refusal) -> Bool {
        guard let root = YAMLStream(parsing: self.body(at: try self.index(of: id))).documents.first?.root else {
            return false
        }
        let meanings = [here, there].map { place -> YAMLNode? in
            let files = place.defaults.sorted { $0.path < $1.path }
            let tree = DefaultsTree(of: files, knowing: DefaultsTree(), limits: limits)
            guard let chain = tree.chain(above: place.path) else { return root }
            return chain.broken == nil ? chain.completed(root) : nil
        }
        guard let first = meanings[0], let second = meanings[1] else { return false }
        return first.says(theSameAs: second)
    }

    private func body(at index: Int) -> [UInt8] {
        let document = self.documents[index]
        return Array(document.dropFirst(Self.mark(of: document).count))
    }

    func index(of id: DeploymentID) throws(Refusal) -> Int {
        let indices = self.documents.indices.filter { Self.deployment(in: self.documents[$0]) == id }
        guard let index = indices.first else { throw Refusal(reason: "does not hold \(id)") }
        guard indices.count == 1 else { throw Refusal(reason: "holds \(id) more than once") }
        return index
    }

    private static func deployment(in document: ArraySlice<UInt8>) -> DeploymentID? {
        guard let root = YAMLStream(parsing: Array(document)).documents.first?.root,
            root["kind"]?.scalarText == ManifestKind.modelDeployment.rawValue
        else { return nil }
        return DeploymentDraft.id(of: root)
    }

    /// `---` at the beginning of a line, alone or before a blank.
    private static func isMark(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.starts(with: "---".utf8) else { return false }
        return line.dropFirst(3).first.map { " \t\r\n".utf8.contains($0) } ?? true
    }

    /// The line of the mark, when nothing but blanks follows it: else it belongs to the manifest.
    private static func mark(of document: ArraySlice<UInt8>) -> [UInt8] {
        let line = document.prefix { $0 != UInt8(ascii: "\n") }
        guard Self.isMark(line), line.dropFirst(3).allSatisfy({ " \t\r".utf8.contains($0) }) else { return [] }
        return Array(document.prefix(line.count + 1))
    }
}

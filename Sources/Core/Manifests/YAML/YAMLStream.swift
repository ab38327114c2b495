/// The documents of one YAML text, as far as it could be read.
package struct YAMLStream: Hashable, Sendable {
    /// Those without any content left out.
    package var documents: [YAMLDocument]
    /// Why the rest of the text could not be read.
    package var failure: YAMLProblem?

    /// Reads `bytes`, which must be UTF-8, without any schema.
    ///
    /// Anchors, aliases, merge keys, tags, keys that are no scalars and keys that are given twice are problems of
    /// their document: one text must mean one thing, to people and to every tool that reads it.
    package init(parsing bytes: [UInt8], limits: ManifestLimits = ManifestLimits()) {
        self.documents = []
        guard bytes.count <= limits.fileBytes else {
            let message = "the file has \(bytes.count) bytes, at most \(limits.fileBytes) are read: split it"
            self.failure = YAMLProblem(position: TextPosition(line: 1, column: 1), message: message)
            return
        }
        var text = bytes[...]
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        if let offset = UTF8Check.firstInvalidOffset(in: text) {
            self.failure = YAMLProblem(
                position: TextPosition(of: offset, in: text),
                message: "the file is not UTF-8 from here on: save it as UTF-8"
            )
            return
        }
        text.withUnsafeBufferPointer { buffer in
            guard let events = YAMLEvents(buffer) else {
                self.failure = YAMLProblem(position: TextPosition(line: 1, column: 1), message: "out of memory")
                return
            }
            var builder = YAMLTreeBuilder(events, limits: limits)
            do throws(YAMLProblem) {
                while let document = try builder.document() {
                    self.documents.append(document)
                }
            } catch {
                self.failure = error
            }
        }
    }
}

package struct YAMLDocument: Hashable, Sendable {
    package var root: YAMLNode
    /// What YAML allows and this product does not; the tree lacks those nodes.
    package var problems: [YAMLProblem]
}

/// What is wrong with a text, and what to write instead.
package struct YAMLProblem: Error, Hashable, Sendable {
    package var position: TextPosition
    package var message: String
}

enum UTF8Check {
    /// Where the first byte is that is no part of valid UTF-8.
    static func firstInvalidOffset(in bytes: ArraySlice<UInt8>) -> Int? {
        // The validating initialiser is many times as fast as the decoder below, and almost every text is valid.
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var decoder = UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): offset += scalar.count
            case .error: return offset
            case .emptyInput: return nil
            }
        }
    }
}

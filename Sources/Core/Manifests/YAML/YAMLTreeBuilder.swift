/// Makes trees of nodes out of libyaml's events.
struct YAMLTreeBuilder: ~Copyable {
    private let events: YAMLEvents
    private let limits: ManifestLimits
    private var nodes = 0
    private var documents = 0
    private var problems: [YAMLProblem] = []

    init(_ events: consuming YAMLEvents, limits: ManifestLimits) {
        self.events = events
        self.limits = limits
    }

    /// The next document that has any content.
    ///
    /// - Returns: Nothing at the end of the text.
    mutating func document() throws(YAMLProblem) -> YAMLDocument? {
        while true {
            switch try self.events.next() {
            case .streamEnd: return nil
            case .streamStart, .documentStart, .documentEnd: continue
            case let event:
                self.problems = []
                let root = try self.node(event, depth: 1)
                if case .scalar(let scalar) = root.content, scalar.meaning == .null, self.problems.isEmpty { continue }
                self.documents += 1
                guard self.documents <= self.limits.documents else {
                    throw YAMLProblem(
                        position: root.position,
                        message: "a file may hold at most \(self.limits.documents) documents: split it"
                    )
                }
                return YAMLDocument(root: root, problems: self.problems)
            }
        }
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLProblem) -> YAMLNode {
        switch event {
        case .scalar(let scalar, let properties, let position):
            try self.enter(properties, at: position, depth: 1)
            return YAMLNode(content: .scalar(scalar), position: position)
        case .sequenceStart(let properties, let position):
            try self.enter(properties, at: position, depth: depth)
            return YAMLNode(content: .sequence(try self.sequence(depth: depth)), position: position)
        case .mappingStart(let properties, let position):
            try self.enter(properties, at: position, depth: depth)
            return YAMLNode(content: .mapping(try self.mapping(depth: depth)), position: position)
        case .alias(let name, let position):
            try self.enter(YAMLEvent.Properties(), at: position, depth: 1)
            let message = "aliases are not allowed: write out what *\(name) stands for"
            self.problems.append(YAMLProblem(position: position, message: message))
            return YAMLNode(content: .scalar(YAMLScalar(text: "", isPlain: true)), position: position)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            // libyaml's grammar has none of these where a node starts.
            throw YAMLProblem(position: TextPosition(line: 1, column: 1), message: "not valid YAML: no node")
        }
    }

    /// Counts a node and looks at what stands before it.
    private mutating func enter(
        _ properties: YAMLEvent.Properties,
        at position: TextPosition,
        depth: Int
    ) throws(YAMLProblem) {
        self.nodes += 1
        guard self.nodes <= self.limits.nodes else {
            let message = "a file may hold at most \(self.limits.nodes) values: split it"
            throw YAMLProblem(position: position, message: message)
        }
        guard depth <= self.limits.depth else {
            let message = "lists and mappings may nest at most \(self.limits.depth) deep"
            throw YAMLProblem(position: position, message: message)
        }
        if let anchor = properties.anchor {
            let message = "anchors are not allowed: remove &\(anchor), and write the value out where it is needed"
            self.problems.append(YAMLProblem(position: position, message: message))
        }
        if let tag = properties.tag {
            let message =
                "tags are not allowed: remove \(tag.inBackticks); a text that looks like a number needs quotes"
            self.problems.append(YAMLProblem(position: position, message: message))
        }
    }

    private mutating func sequence(depth: Int) throws(YAMLProblem) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try self.events.next()
            if case .sequenceEnd = event { return items }
            items.append(try self.node(event, depth: depth + 1))
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLProblem) -> [YAMLNode.Member] {
        var members: [YAMLNode.Member] = []
        var names = MemberNames()
        while true {
            let event = try self.events.next()
            if case .mappingEnd = event { return members }
            let key = try self.node(event, depth: depth + 1)
            let value = try self.node(try self.events.next(), depth: depth + 1)
            guard case .scalar(let scalar) = key.content else {
                let message = "a key must be a plain name, not a list or a mapping"
                self.problems.append(YAMLProblem(position: key.position, message: message))
                continue
            }
            if scalar.isPlain, scalar.text == "<<" {
                let message = "merge keys are not allowed: write out the fields that << would bring in"
                self.problems.append(YAMLProblem(position: key.position, message: message))
                continue
            }
            if let line = names.insert(scalar.text, line: key.position.line, among: members) {
                let message = "\(scalar.text.inBackticks) is given twice, first in line \(line): remove one of them"
                self.problems.append(YAMLProblem(position: key.position, message: message))
                continue
            }
            members.append(YAMLNode.Member(key: scalar.text, keyPosition: key.position, value: value))
        }
    }
}

/// Which names of a mapping were given already. Most mappings are so small that their members are looked through; a
/// large one must not take the square of its size.
private struct MemberNames {
    private var lines: [String: Int] = [:]

    private static let few = 16

    /// - Returns: The line where the name was given last, if it was.
    mutating func insert(_ name: String, line: Int, among members: [YAMLNode.Member]) -> Int? {
        if self.lines.isEmpty {
            if members.count < Self.few, !members.contains(where: { $0.key == name }) { return nil }
            self.lines = Dictionary(uniqueKeysWithValues: members.lazy.map { ($0.key, $0.keyPosition.line) })
        }
        return self.lines.updateValue(line, forKey: name)
    }
}

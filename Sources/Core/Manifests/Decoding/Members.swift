/// The members of a mapping that has a shape.
package struct Members {
    private let field: Field
    private let shape: Shape
    private let container: ValuePath.Container
    private let nodes: [YAMLNode.Member]
    /// There are members that the shape does not have; what seems to be missing may be among them.
    private var hasStrangers = false
    /// What unknown members were probably meant to be.
    private var meant: Set<String> = []

    fileprivate init(_ nodes: [YAMLNode.Member], of field: Field, shape: Shape) {
        let hasNulls = field.layering != .none && nodes.contains(where: \.value.isWrittenNull)
        self.nodes = hasNulls ? nodes.filter { !field.leavesOut($0) } : nodes
        self.field = field
        self.shape = shape
        self.container = field.asContainer
        for node in nodes where shape.entry(node.key) == nil { self.report(node) }
        if field.layering == .defaults { return }
        for entry in shape.fields where entry.isRequired { self.require(entry) }
    }

    /// The member of that name, which the shape must have.
    package subscript(name: String) -> Field? {
        guard let index = self.index(of: name), let entry = self.shape.entry(name) else {
            assert(self.shape.entry(name) != nil, "\(self.shape.name) has no field \(name)")
            return nil
        }
        return self.field.member(self.nodes[index], in: self.container, example: entry.example)
    }

    /// A mapping has a dozen members at most: nothing is faster than to look at one after the other.
    private func index(of name: String) -> Int? {
        self.nodes.firstIndex { $0.key == name }
    }

    /// Which of `names` is given; logs when none or several are.
    package func exactlyOne(of names: [String]) -> String? {
        let given = names.filter { self.index(of: $0) != nil }
        if given.count == 1 { return given[0] }
        if given.isEmpty {
            if !self.hasStrangers { self.field.error("one of \(names.joined(lastWith: "or")) is missing") }
        } else {
            self.field.error("\(given.joined(lastWith: "and")) exclude each other: keep one of them")
        }
        return nil
    }

    private mutating func report(_ member: YAMLNode.Member) {
        self.hasStrangers = true
        let message: String
        if let why = self.shape.excluded[member.key] {
            message = why
        } else if let instead = self.shape.unavailable[member.key] {
            message = "\(member.key.inBackticks) is not available in this version: \(instead)"
        } else {
            if let name = NearestName.of(member.key, among: self.shape.names) { self.meant.insert(name) }
            let hint = NearestName.hint(for: member.key, among: self.shape.names)
            message = "unknown field \(member.key.inBackticks): \(hint)"
        }
        self.field.log.add(.error, at: member.keyPosition, field: self.field.path(of: member.key), message)
    }

    /// Logs which of `names` are missing, for those that only some mappings of the shape must have.
    func require(_ names: [String]) {
        for entry in self.shape.fields where names.contains(entry.name) { self.require(entry) }
    }

    private func require(_ entry: Shape.Entry) {
        guard self.index(of: entry.name) == nil, !self.meant.contains(entry.name) else { return }
        let message = "\(entry.name.inBackticks) is missing: add for example `\(entry.name): \(entry.example)`"
        self.field.error(message)
    }
}

extension Field {
    /// The members of a mapping. Unknown, unavailable and missing ones are logged.
    package func members(of shape: Shape) -> Members? {
        guard case .mapping(let nodes) = self.node.content else {
            self.expected("a mapping with \(shape.names.joined(lastWith: "and"))")
            return nil
        }
        return Members(nodes, of: self, shape: shape)
    }
}

/// The members of a mapping that has a shape.
package struct Members {
    private let field: Field
    private let shape: Shape
    private var fields: [String: Field] = [:]
    /// There are members that the shape does not have; what seems to be missing may be among them.
    private var hasStrangers = false
    /// What unknown members were probably meant to be.
    private var meant: Set<String> = []

    fileprivate init(field: Field, shape: Shape) {
        self.field = field
        self.shape = shape
    }

    /// The member of that name, which the shape must have.
    package subscript(name: String) -> Field? {
        precondition(self.shape.entry(name) != nil, "\(self.shape.name) has no field \(name)")
        return self.fields[name]
    }

    /// Which of `names` is given; logs when none or several are.
    package func exactlyOne(of names: [String]) -> String? {
        let given = names.filter { self[$0] != nil }
        if given.count == 1 { return given[0] }
        if given.isEmpty {
            if !self.hasStrangers { self.field.error("one of \(names.joined(lastWith: "or")) is missing") }
        } else {
            self.field.error("\(given.joined(lastWith: "and")) exclude each other: keep one of them")
        }
        return nil
    }

    fileprivate mutating func insert(_ member: YAMLNode.Member) {
        if let entry = self.shape.entry(member.key) {
            self.fields[member.key] = self.field.member(member, example: entry.example)
            return
        }
        self.hasStrangers = true
        let message: String
        if let instead = self.shape.unavailable[member.key] {
            message = "\(member.key.inBackticks) is not available in this version: \(instead)"
        } else {
            if let name = NearestName.of(member.key, among: self.shape.names) { self.meant.insert(name) }
            let hint = NearestName.hint(for: member.key, among: self.shape.names)
            message = "unknown field \(member.key.inBackticks): \(hint)"
        }
        self.field.log.add(.error, at: member.keyPosition, field: self.field.path(of: member.key), message)
    }

    fileprivate func checkRequired() {
        self.require(self.shape.fields.filter(\.isRequired).map(\.name))
    }

    /// Logs which of `names` are missing, for those that only some mappings of the shape must have.
    func require(_ names: [String]) {
        for entry in self.shape.fields where names.contains(entry.name) && self.fields[entry.name] == nil {
            if self.meant.contains(entry.name) { continue }
            let message = "\(entry.name.inBackticks) is missing: add for example `\(entry.name): \(entry.example)`"
            self.field.error(message)
        }
    }
}

extension Field {
    /// The members of a mapping. Unknown, unavailable and missing ones are logged.
    package func members(of shape: Shape) -> Members? {
        guard case .mapping(let nodes) = self.node.content else {
            self.expected("a mapping with \(shape.names.joined(lastWith: "and"))")
            return nil
        }
        var members = Members(field: self, shape: shape)
        for node in nodes { members.insert(node) }
        members.checkRequired()
        return members
    }
}

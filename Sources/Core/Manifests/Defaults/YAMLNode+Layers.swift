extension YAMLNode {
    /// Mappings are merged key by key; everything else, lists too, takes the place of what is below.
    func laid(over base: YAMLNode) -> YAMLNode {
        guard case .mapping(var members) = self.content, case .mapping(let below) = base.content else { return self }
        let indices = Dictionary(members.indices.lazy.map { (members[$0].key, $0) }) { first, _ in first }
        for member in below {
            if let index = indices[member.key] {
                members[index].value = members[index].value.laid(over: member.value)
            } else {
                members.append(member)
            }
        }
        return YAMLNode(content: .mapping(members), position: self.position)
    }

    /// The same, with positions that say which text it is of.
    func inLayer(_ layer: Int) -> YAMLNode {
        var node = self
        node.position.layer = layer
        switch self.content {
        case .scalar: break
        case .sequence(let items): node.content = .sequence(items.map { $0.inLayer(layer) })
        case .mapping(let members):
            node.content = .mapping(
                members.map { member in
                    var position = member.keyPosition
                    position.layer = layer
                    return Member(key: member.key, keyPosition: position, value: member.value.inLayer(layer))
                }
            )
        }
        return node
    }

    /// Whether both have the same values, wherever they stand.
    func says(theSameAs other: YAMLNode) -> Bool {
        switch (self.content, other.content) {
        case (.scalar(let mine), .scalar(let theirs)): return mine.text == theirs.text && mine.meaning == theirs.meaning
        case (.sequence(let mine), .sequence(let theirs)):
            return mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.says(theSameAs: $1) }
        case (.mapping(let mine), .mapping(let theirs)):
            let values = Dictionary(theirs.map { ($0.key, $0.value) }) { first, _ in first }
            return mine.count == theirs.count
                && mine.allSatisfy { values[$0.key]?.says(theSameAs: $0.value) ?? false }
        case (.scalar, _), (.sequence, _), (.mapping, _): return false
        }
    }

    func members(named names: Set<String>) -> [Member] {
        guard case .mapping(let members) = self.content else { return [] }
        return members.filter { names.contains($0.key) }
    }
}

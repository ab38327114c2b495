/// Which requests of a deployment go to which revision.
///
/// One value, and one effect, holds all of it: what takes a revision's weight away takes its matched requests and its
/// copies away in the same act.
package struct Traffic: Hashable, Codable, Sendable {
    /// How the requests are split that no match decides on: above zero each, together 100, or empty.
    package var weights: [Revision: TrafficWeight]
    /// Requests that go to one revision whatever the weights; the first match decides.
    package var matches: [Match]
    /// Nothing when no request is copied.
    package var mirror: Mirror?

    /// Requests with certain headers go to `revision`.
    package struct Match: Hashable, Codable, Sendable {
        package var headers: HeaderMatches
        package var revision: Revision

        package init(headers: HeaderMatches, revision: Revision) {
            self.headers = headers
            self.revision = revision
        }
    }

    /// Copies of `percent` of the requests that the weights decide on go to `revision`. Its answers reach nobody.
    package struct Mirror: Hashable, Codable, Sendable {
        package var revision: Revision
        package var percent: TrafficWeight
        /// How some more copies are answered by both revisions and compared, if they are.
        package var comparison: AnswerRule?

        package init(revision: Revision, percent: TrafficWeight, comparison: AnswerRule? = nil) {
            self.revision = revision
            self.percent = percent
            self.comparison = comparison
        }
    }

    package init() {
        self.init(weights: [:])
    }

    package init(weights: [Revision: TrafficWeight], matches: [Match] = [], mirror: Mirror? = nil) {
        self.weights = weights
        self.matches = matches
        self.mirror = mirror
    }

    /// All requests go to one revision.
    package static func all(to revision: Revision) -> Traffic {
        Traffic(weights: [revision: .all])
    }

    package var isEmpty: Bool { self.weights.isEmpty && self.matches.isEmpty && self.mirror == nil }

    /// The share of the requests that no match decides on.
    package subscript(revision: Revision) -> TrafficWeight { self.weights[revision, default: .none] }

    /// Whether requests, or copies of them, go to `revision`.
    package func reaches(_ revision: Revision) -> Bool {
        self[revision] > .none || self.mirror?.revision == revision || self.matches.contains { $0.revision == revision }
    }

    /// Whether `revision` answers users.
    package func isAnswered(by revision: Revision) -> Bool {
        self[revision] > .none || self.matches.contains { $0.revision == revision }
    }

    /// Every revision that requests, or copies of them, go to.
    package var revisions: Set<Revision> {
        var revisions = Set(self.matches.map(\.revision))
        for (revision, weight) in self.weights where weight > .none { revisions.insert(revision) }
        if let mirror = self.mirror { revisions.insert(mirror.revision) }
        return revisions
    }

    /// Without what goes to revisions that `isKept` refuses; the other weights stay as they are.
    package func filter(_ isKept: (Revision) -> Bool) -> Traffic {
        Traffic(
            weights: self.weights.filter { $0.value > .none && isKept($0.key) },
            matches: self.matches.filter { isKept($0.revision) },
            mirror: self.mirror.flatMap { isKept($0.revision) ? $0 : nil }
        )
    }
}

extension Traffic: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (Revision, TrafficWeight)...) {
        self.init(weights: Dictionary(elements) { _, last in last })
    }
}

extension Traffic: CustomStringConvertible {
    package var description: String {
        var parts = self.weights.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        for match in self.matches { parts.append("\(match.revision) where \(match.headers)") }
        if let mirror = self.mirror {
            parts.append("copies of \(mirror.percent) to \(mirror.revision)")
            if let rule = mirror.comparison { parts.append("answers to \(rule.percent) compared") }
        }
        return parts.isEmpty ? "no traffic" : parts.joined(separator: ", ")
    }
}

/// Conditions on the headers of a request, all of which must hold.
package struct HeaderMatches: Hashable, Codable, Sendable {
    package var conditions: [Condition]

    package struct Condition: Hashable, Codable, Sendable {
        /// In lower case, as HTTP compares names without regard to it.
        package var name: String
        package var value: Value

        package init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    package enum Value: Hashable, Codable, Sendable {
        case exact(String)
        case prefix(String)
        /// Any value.
        case present
    }

    package init(_ conditions: [Condition]) {
        self.conditions = conditions
    }

    /// What a request to the revision says that a `blueGreen` rollout has not switched to yet.
    package static let preview = HeaderMatches([Condition(name: "x-controller-preview", value: .exact("true"))])
}

extension HeaderMatches: CustomStringConvertible {
    package var description: String {
        self.conditions.map { condition in
            switch condition.value {
            case .exact(let text): "\(condition.name) is \(text)"
            case .prefix(let text): "\(condition.name) begins with \(text)"
            case .present: "\(condition.name) is there"
            }
        }.joined(separator: " and ")
    }
}

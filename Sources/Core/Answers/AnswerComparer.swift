package import Deployments

/// What one revision answered.
package struct ServedAnswer: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Whether two answers to one request are the same, by a rule.
package struct AnswerComparer: Hashable, Sendable {
    package let rule: AnswerRule

    package init(rule: AnswerRule) {
        self.rule = rule
    }

    /// The first place where the answers differ; nothing when they are the same. Where JSON is needed and a body is
    /// none, the bodies are compared as bytes.
    package func difference(stable: ServedAnswer, canary: ServedAnswer) -> AnswerDifference? {
        guard stable.status == canary.status else {
            return AnswerDifference(place: "status", stable: "\(stable.status)", canary: "\(canary.status)")
        }
        if stable.body == canary.body { return nil }
        guard let left = AnswerJSON(stable.body), let right = AnswerJSON(canary.body) else {
            return AnswerDifference(place: "body", stable: Self.shown(stable.body), canary: Self.shown(canary.body))
        }
        if self.rule.method == .label, let found = self.labels(left, right) { return found.difference }
        return self.difference(left, right, at: [])
    }

    private static func shown(_ body: [UInt8]) -> String {
        String(decoding: body.prefix(4 * AnswerDifference.longestText), as: UTF8.self)
    }

    private func difference(
        _ stable: AnswerJSON,
        _ canary: AnswerJSON,
        at place: [AnswerPath.Part]
    ) -> AnswerDifference? {
        switch (stable, canary) {
        case (.object(let left), .object(let right)):
            for name in Set(left.keys).union(right.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                let member = place + [.member(String(decoding: name, as: UTF8.self))]
                if self.isIgnored(member) { continue }
                guard let before = left[name], let after = right[name] else {
                    return Self.difference(left[name], right[name], at: member)
                }
                if let difference = self.difference(before, after, at: member) { return difference }
            }
            return nil
        case (.list(let left), .list(let right)):
            guard left.count == right.count else {
                return AnswerDifference(
                    place: Self.name(of: place),
                    stable: "\(left.count) elements",
                    canary: "\(right.count) elements"
                )
            }
            for (index, (before, after)) in zip(left, right).enumerated() {
                let element = place + [.index(index)]
                if self.isIgnored(element) { continue }
                if let difference = self.difference(before, after, at: element) { return difference }
            }
            return nil
        case (.number(let left), .number(let right)):
            return self.isSame(left, right) ? nil : Self.difference(stable, canary, at: place)
        default:
            return stable == canary ? nil : Self.difference(stable, canary, at: place)
        }
    }

    private static func difference(
        _ stable: AnswerJSON?,
        _ canary: AnswerJSON?,
        at place: [AnswerPath.Part]
    ) -> AnswerDifference {
        AnswerDifference(
            place: Self.name(of: place),
            stable: stable?.shown ?? "nothing",
            canary: canary?.shown ?? "nothing"
        )
    }

    private static func name(of place: [AnswerPath.Part]) -> String {
        place.isEmpty ? "body" : AnswerPath(parts: place).description
    }

    private func isIgnored(_ place: [AnswerPath.Part]) -> Bool {
        self.rule.ignored.contains { $0.matches(place) }
    }

    private func isSame(_ left: String, _ right: String) -> Bool {
        if left == right { return true }
        guard let first = Double(left), let second = Double(right) else { return false }
        if self.rule.method == .numeric, first.isFinite, second.isFinite {
            let distance = abs(first - second)
            return distance <= self.rule.tolerance
                || distance <= self.rule.tolerance * max(abs(first), abs(second))
        }
        // `1`, `1.0` and `1e0` are one number. With more digits than a `Double` tells apart, equal ones may not be.
        return first == second && first.isFinite && Self.digits(left) <= 15 && Self.digits(right) <= 15
    }

    private static func digits(_ number: String) -> Int {
        number.utf8.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }.count {
            (0x30...0x39).contains($0)
        }
    }
}

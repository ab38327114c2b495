import Deployments

extension AnswerComparer {
    struct Labels {
        var difference: AnswerDifference?
    }

    /// Compares what scores say.
    ///
    /// - Returns: Nothing when one of the answers has no scores or labels where the rule looks for them.
    func labels(_ stable: AnswerJSON, _ canary: AnswerJSON) -> Labels? {
        guard let left = Self.labels(in: stable, at: self.rule.scores.parts),
            let right = Self.labels(in: canary, at: self.rule.scores.parts)
        else { return nil }
        let place = self.rule.scores.description
        guard left.count == right.count else {
            let texts = (stable: "\(left.count) labels", canary: "\(right.count) labels")
            return Labels(
                difference: AnswerDifference(place: place, stable: texts.stable, canary: texts.canary)
            )
        }
        for (index, (before, after)) in zip(left, right).enumerated() where before != after {
            let row = left.count > 1 ? "\(place), row \(index)" : place
            return Labels(
                difference: AnswerDifference(place: row, stable: before.shown, canary: after.shown)
            )
        }
        return Labels()
    }

    /// One label for each row of what is at `path`.
    private static func labels(in value: AnswerJSON, at path: [AnswerPath.Part]) -> [Label]? {
        var (found, parent): (AnswerJSON, AnswerJSON?) = (value, nil)
        for part in path {
            parent = found
            switch (part, found) {
            case (.member(let name), .object(let members)):
                guard let member = members[Array(name.utf8)] else { return nil }
                found = member
            case (.index(let index), .list(let elements)):
                guard elements.indices.contains(index) else { return nil }
                found = elements[index]
            default: return nil
            }
        }
        return Self.rows(of: found, width: Self.width(in: parent))
    }

    /// How many scores a row has, by the `shape` that the Open Inference Protocol has beside `data`.
    private static func width(in tensor: AnswerJSON?) -> Int? {
        guard case .object(let members) = tensor, case .list(let shape) = members[Array("shape".utf8)] else {
            return nil
        }
        guard shape.count > 1, case .number(let last) = shape.last else { return nil }
        return Int(last).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func rows(of value: AnswerJSON, width: Int?) -> [Label]? {
        guard case .list(let elements) = value else { return Label(value).map { [$0] } }
        guard !elements.isEmpty else { return nil }
        let numbers = elements.compactMap { element -> Double? in
            if case .number(let text) = element { Double(text) } else { nil }
        }
        if numbers.count == elements.count {
            let width = width.flatMap { numbers.count % $0 == 0 ? $0 : nil } ?? numbers.count
            // One number alone is the label itself: as a row of scores, it would always be the largest.
            if width == 1 { return elements.compactMap { Label($0) } }
            return stride(from: 0, to: numbers.count, by: width).map { start in
                Label.best(Self.best(numbers[start..<start + width]))
            }
        }
        var labels: [Label] = []
        for element in elements {
            guard let more = Self.rows(of: element, width: nil) else { return nil }
            labels += more
        }
        return labels
    }

    /// The place of the largest number in its row, the first of equal ones; what is not a number is never it.
    private static func best(_ row: ArraySlice<Double>) -> Int? {
        var best: Int?
        for (index, score) in row.enumerated() where !score.isNaN {
            if let known = best, row[row.startIndex + known] >= score { continue }
            best = index
        }
        return best
    }
}

/// What a model decided for.
private enum Label: Hashable {
    /// The place of the best score; nothing when no score is a number.
    case best(Int?)
    case value(AnswerJSON)

    init?(_ value: AnswerJSON) {
        switch value {
        case .text, .bool: self = .value(value)
        // `3` and `3.0` are one label.
        case .number(let text): self = .value(.number(Double(text).map { "\($0)" } ?? text))
        case .null, .list, .object: return nil
        }
    }

    var shown: String {
        switch self {
        case .best(let index): index.map { "label \($0)" } ?? "no label"
        case .value(let value): value.shown
        }
    }
}

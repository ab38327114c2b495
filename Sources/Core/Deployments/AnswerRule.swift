/// How a canary's answers are compared with stable's to the same requests, and how many of them may differ.
package struct AnswerRule: Hashable, Codable, Sendable {
    package enum Method: String, Hashable, Codable, Sendable, CaseIterable {
        /// The same bytes, or the same JSON whatever its spaces and the order of its members.
        case exact
        /// The same JSON but for small differences of numbers.
        case numeric
        /// The same place of the largest score, or the same label.
        case label
    }

    package var method: Method
    /// How far two numbers may be apart, and how far as a share of the larger of them.
    package var tolerance: Double
    /// Parts of an answer that are not compared.
    package var ignored: [AnswerPath]
    /// Where the scores or labels are.
    package var scores: AnswerPath
    /// Of how many requests a copy is compared; never of more than the step copies.
    package var percent: TrafficWeight
    /// The share of answers that may differ, above 0 and below 1.
    package var maximumShare: Double

    package init(
        method: Method,
        tolerance: Double = AnswerRule.defaultTolerance,
        ignored: [AnswerPath] = [],
        scores: AnswerPath = .firstOutput,
        percent: TrafficWeight = TrafficWeight(percent: 5),
        maximumShare: Double = 0.01
    ) {
        self.method = method
        self.tolerance = tolerance
        self.ignored = ignored
        self.scores = scores
        self.percent = percent
        self.maximumShare = maximumShare
    }

    /// Above what another order of adding 32-bit floats changes.
    package static let defaultTolerance = 0.001
}

/// A place in JSON: `outputs[0].data`; `outputs[].name` is that member of every element.
package struct AnswerPath: Hashable, Codable, Sendable, CustomStringConvertible {
    package enum Part: Hashable, Codable, Sendable {
        case member(String)
        case index(Int)
        case everyElement
    }

    package var parts: [Part]

    package init(parts: [Part]) {
        self.parts = parts
    }

    /// Where the Open Inference Protocol has the first output.
    package static let firstOutput = AnswerPath(parts: [.member("outputs"), .index(0), .member("data")])

    /// - Returns: Nothing when the text is not such a path, or has more than 16 parts.
    package init?(_ text: String) {
        self.parts = []
        for (position, piece) in text.split(separator: ".", omittingEmptySubsequences: false).enumerated() {
            let name = piece.prefix { $0 != "[" && $0 != "]" }
            var rest = piece[name.endIndex...]
            // Only the whole answer can be a list without a name.
            guard !name.isEmpty || (position == 0 && !rest.isEmpty) else { return nil }
            if !name.isEmpty { self.parts.append(.member(String(name))) }
            while !rest.isEmpty {
                guard rest.first == "[", let end = rest.firstIndex(of: "]") else { return nil }
                let digits = rest[rest.index(after: rest.startIndex)..<end]
                if digits.isEmpty {
                    self.parts.append(.everyElement)
                } else if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(digits) {
                    self.parts.append(.index(index))
                } else {
                    return nil
                }
                rest = rest[rest.index(after: end)...]
            }
        }
        guard self.parts.count <= 16 else { return nil }
    }

    package var description: String {
        self.parts.reduce(into: "") { text, part in
            switch part {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            case .everyElement: text += "[]"
            }
        }
    }

    /// Whether what is at `place`, a path without ``Part/everyElement``, is meant.
    package func matches(_ place: [Part]) -> Bool {
        self.parts.count == place.count
            && zip(self.parts, place).allSatisfy { pattern, part in
                if case (.everyElement, .index) = (pattern, part) { true } else { pattern == part }
            }
    }
}

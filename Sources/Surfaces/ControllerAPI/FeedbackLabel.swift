package import Deployments
import Foundation

/// What somebody knows about one answered request.
package struct FeedbackLabel: Codable, Hashable, Sendable {
    /// The answer's `x-feedback-id`.
    package var id: FeedbackID
    /// Whether the answer was right.
    package var isCorrect: Bool?
    /// How good or bad it was, from 0 to 1.
    package var value: Double?

    package init(id: FeedbackID, isCorrect: Bool? = nil, value: Double? = nil) {
        self.id = id
        self.isCorrect = isCorrect
        self.value = value
    }

    private static let fields = ["id", "correct", "value"]

    /// - Throws: A ``FeedbackProblem``, or an error of the decoder for what is no object.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: TextKey.self)
        if let stranger = members.allKeys.map(\.stringValue).sorted().first(where: { !Self.fields.contains($0) }) {
            let suggestion = NearestName.suggestion(for: stranger, among: Self.fields)
            throw FeedbackProblem("unknown field \(stranger.debugDescription.prefix(80))\(suggestion)")
        }
        let text = try members.read(String.self, "id", "the text of an answer's \(FeedbackID.header)")
        guard let text else { throw FeedbackProblem("`id` is missing: give the answer's \(FeedbackID.header)") }
        guard let id = FeedbackID(text) else {
            throw FeedbackProblem("`id` is not what \(FeedbackID.header) says: give the whole header")
        }
        self.id = id
        self.isCorrect = try members.read(Bool.self, "correct", "true or false")
        self.value = try members.read(Double.self, "value", "a number from 0 to 1")
        if let value, !(0...1).contains(value) { throw FeedbackProblem("`value` must be a number from 0 to 1") }
        if self.isCorrect == nil, self.value == nil {
            throw FeedbackProblem("it says nothing: add `correct` (true or false), or `value` (from 0 to 1)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: TextKey.self)
        try members.encode(self.id.description, forKey: TextKey("id"))
        try members.encodeIfPresent(self.isCorrect, forKey: TextKey("correct"))
        try members.encodeIfPresent(self.value, forKey: TextKey("value"))
    }
}

extension KeyedDecodingContainer<TextKey> {
    fileprivate func read<Value: Decodable>(_: Value.Type, _ name: String, _ form: String) throws -> Value? {
        do {
            return try self.decodeIfPresent(Value.self, forKey: TextKey(name))
        } catch is DecodingError {
            throw FeedbackProblem("`\(name)` must be \(form)")
        }
    }
}

/// What is wrong with a label.
package struct FeedbackProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { self.message }
}

/// Labels as they are sent: a list, or one alone.
package struct FeedbackBatch: Codable, Hashable, Sendable {
    package var labels: [FeedbackLabel]

    /// So that one request never takes long.
    package static let limit = 1000

    package init(_ labels: [FeedbackLabel]) { self.labels = labels }

    /// - Throws: A ``FeedbackProblem`` that names the label by its place, from 1; or an error of the decoder.
    package init(from decoder: any Decoder) throws {
        var list: any UnkeyedDecodingContainer
        do {
            list = try decoder.unkeyedContainer()
        } catch is DecodingError {
            self.labels = [try FeedbackLabel(from: decoder)]
            return
        }
        self.labels = []
        while !list.isAtEnd {
            guard self.labels.count < Self.limit else {
                throw FeedbackProblem("there are more than \(Self.limit) labels: send them in several requests")
            }
            let number = self.labels.count + 1
            do {
                self.labels.append(try list.decode(FeedbackLabel.self))
            } catch let problem as FeedbackProblem {
                throw FeedbackProblem("label \(number): \(problem.message)")
            } catch is DecodingError {
                throw FeedbackProblem("label \(number): it must be an object with `id` and `correct` or `value`")
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.labels)
    }
}

/// What became of labels that were told: each is one of these.
package struct FeedbackAnswer: Codable, Hashable, Sendable {
    package var counted: Int
    /// Of requests of which something was told before.
    package var repeated: Int
    /// By revisions that have no part in the deployment: counted nowhere.
    package var unknown: Int
    /// Those revisions, at most ten, sorted.
    package var unknownRevisions: [String]

    package init(counted: Int = 0, repeated: Int = 0, unknown: Int = 0, unknownRevisions: [String] = []) {
        self.counted = counted
        self.repeated = repeated
        self.unknown = unknown
        self.unknownRevisions = Array(Set(unknownRevisions).sorted().prefix(10))
    }

    package static func += (left: inout FeedbackAnswer, right: FeedbackAnswer) {
        left = FeedbackAnswer(
            counted: left.counted + right.counted,
            repeated: left.repeated + right.repeated,
            unknown: left.unknown + right.unknown,
            unknownRevisions: left.unknownRevisions + right.unknownRevisions
        )
    }
}

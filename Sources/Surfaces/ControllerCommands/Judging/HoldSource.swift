import Analysis
import Foundation

/// A recorded hold with what it is called.
struct NamedHold {
    /// As it was given, a text or a number.
    var id: HoldName
    var hold: RecordedHold
}

/// An `id` of the input, which the answer repeats as it came.
enum HoldName: Hashable, Codable, Sendable, CustomStringConvertible {
    case text(String)
    case number(Int64)

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }

    var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): "\(number)"
        }
    }
}

/// What is wrong with one line of the input.
struct HoldProblem: Error, Hashable {
    var line: Int
    var message: String
}

/// Reads holds from JSON lines or from CSV, whichever the file begins like.
///
/// A line that cannot be read is a ``HoldProblem``, and the ones after it are read on.
struct HoldSource {
    private var reader: LineReader
    private let secondsPerPoll: Double
    private let isLagging: Bool
    private var first: [UInt8]?
    private var csv: HoldCSV?
    /// Read, and not handed out yet.
    private var read: [Result<HoldCSV.Rows, HoldProblem>] = []
    /// Fields that mean nothing, each told once.
    private(set) var ignored: [String] = []

    /// No canary is judged on more polls than this.
    static let pollLimit = 100_000

    /// - Throws: A `CommandFailure` when there is no such file, or its first line says that it is neither.
    init(path: String, secondsPerPoll: Double, isLagging: Bool) throws {
        self.reader = try LineReader(path: path)
        self.secondsPerPoll = secondsPerPoll
        self.isLagging = isLagging
        self.first = try self.reader.next()
        guard let first = self.first, first.first(where: { $0 != UInt8(ascii: " ") }) != UInt8(ascii: "{") else {
            return
        }
        do {
            self.csv = try HoldCSV(header: String(decoding: first, as: UTF8.self))
        } catch {
            throw CommandFailure(code: .usage, message: "\(path):1: \(error.message)")
        }
        self.first = nil
    }

    /// - Returns: The next hold, or what is wrong with its line; nothing at the end.
    /// - Throws: A `CommandFailure` when the file cannot be read any more.
    mutating func next() throws -> Result<NamedHold, HoldProblem>? {
        if self.csv != nil { return try self.nextOfCSV() }
        let line = try self.first ?? self.reader.next()
        self.first = nil
        guard let line else { return nil }
        do {
            return .success(try self.hold(of: line))
        } catch let problem as HoldProblem {
            return .failure(problem)
        } catch let error as DecodingError {
            return .failure(HoldProblem(line: self.reader.number, message: Self.message(error)))
        }
    }

    private mutating func nextOfCSV() throws -> Result<NamedHold, HoldProblem>? {
        while self.read.isEmpty {
            guard let line = try self.reader.next() else {
                return self.csv?.takeLast().map { .success(self.hold(of: $0)) }
            }
            let row = String(decoding: line, as: UTF8.self)
            self.read = self.csv?.take(row, line: self.reader.number) ?? []
        }
        return self.read.removeFirst().map { self.hold(of: $0) }
    }

    private func hold(of rows: HoldCSV.Rows) -> NamedHold {
        NamedHold(
            id: .text(rows.id),
            hold: RecordedHold(
                history: rows.history,
                polls: rows.polls.map {
                    HoldPoll(seconds: self.secondsPerPoll, canary: $0.canary, stable: $0.stable)
                },
                isLagging: self.isLagging
            )
        )
    }

    private mutating func hold(of bytes: [UInt8]) throws -> NamedHold {
        let line = self.reader.number
        let decoder = JSONDecoder()
        let parts = try decoder.decode(HoldLine.self, from: Data(bytes))
        for name in parts.others where !self.ignored.contains(name) { self.ignored.append(name) }
        let history = try parts.history.enumerated().map { index, row in
            guard row.count == 2 else {
                throw HoldProblem(line: line, message: "history[\(index)] has \(row.count) numbers: [requests, bad]")
            }
            return try Self.counts(row[0], row[1], "history[\(index)]", line)
        }
        let polls = try parts.polls.enumerated().map { index, row in
            guard row.count == 4 else {
                let form = "[canaryRequests, canaryBad, stableRequests, stableBad]"
                throw HoldProblem(line: line, message: "polls[\(index)] has \(row.count) numbers: \(form)")
            }
            return HoldPoll(
                seconds: self.secondsPerPoll,
                canary: try Self.counts(row[0], row[1], "polls[\(index)], the canary", line),
                stable: try Self.counts(row[2], row[3], "polls[\(index)], stable", line)
            )
        }
        guard polls.count <= Self.pollLimit, history.count <= Self.pollLimit else {
            throw HoldProblem(line: line, message: "more than \(Self.pollLimit) polls: sum them up to longer ones")
        }
        return NamedHold(
            id: parts.id,
            hold: RecordedHold(history: history, polls: polls, isLagging: parts.lagRobust ?? self.isLagging)
        )
    }

    /// - Throws: A ``HoldProblem``.
    static func counts(_ total: Int64, _ bad: Int64, _ place: String, _ line: Int) throws(HoldProblem) -> EventCounts {
        guard total >= 0, bad >= 0, total <= 1 << 50 else {
            throw HoldProblem(line: line, message: "\(place): \(total) requests and \(bad) bad ones are no counts")
        }
        guard bad <= total else {
            throw HoldProblem(
                line: line,
                message: "\(place): \(bad) bad of \(total) requests: requests come first, and hold the bad ones"
            )
        }
        return EventCounts(bad: bad, total: total)
    }

    private static func message(_ error: DecodingError) -> String {
        let form = #"a line is {"id": …, "history": [[requests, bad], …], "polls": [[4 numbers], …]}"#
        switch error {
        case .keyNotFound(let key, _): return "`\(key.stringValue)` is missing: \(form)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "`\(Self.path(context))` is not what belongs there: \(form), and counts are whole numbers"
        case .dataCorrupted: return "this is not JSON, or a count is no whole number: \(form)"
        @unknown default: return "this cannot be read: \(form)"
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }
}

/// One line of JSON.
private struct HoldLine: Decodable {
    var id: HoldName
    var history: [[Int64]]
    var polls: [[Int64]]
    var lagRobust: Bool?
    var others: [String]

    private enum Key: String, CodingKey, CaseIterable { case id, history, polls, lagRobust }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.id = try container.decode(HoldName.self, forKey: .id)
        self.history = try container.decodeIfPresent([[Int64]].self, forKey: .history) ?? []
        self.polls = try container.decode([[Int64]].self, forKey: .polls)
        self.lagRobust = try container.decodeIfPresent(Bool.self, forKey: .lagRobust)
        let names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        self.others = names.filter { Key(rawValue: $0) == nil }.sorted()
    }
}

import Analysis

/// Holds as rows of comma-separated values, a poll a row: `id,canary_requests,canary_bad,stable_requests,stable_bad`.
///
/// Rows that leave the canary's columns empty are stable's history from before. All rows of one id in a row are one
/// hold. Values may be in double quotes.
struct HoldCSV {
    struct Poll {
        var canary: EventCounts
        var stable: EventCounts
    }

    struct Rows {
        var id: String
        var history: [EventCounts] = []
        var polls: [Poll] = []
    }

    private let columns: [Column: Int]
    private var rows: Rows?
    private var isBroken = false

    private enum Column: String, CaseIterable {
        case id
        case canaryRequests = "canary_requests"
        case canaryBad = "canary_bad"
        case stableRequests = "stable_requests"
        case stableBad = "stable_bad"
    }

    /// - Throws: A ``HoldProblem`` when a column is missing.
    init(header: String) throws(HoldProblem) {
        let names = Self.fields(header)
        var columns: [Column: Int] = [:]
        for column in Column.allCases {
            // One unnamed hold needs no id.
            guard let index = names.firstIndex(of: column.rawValue) else {
                if column == .id { continue }
                let form = Column.allCases.map(\.rawValue).joined(separator: ",")
                throw HoldProblem(
                    line: 1,
                    message: "this is neither JSON lines nor CSV with the column `\(column.rawValue)`: its first line "
                        + "would be `\(form)`"
                )
            }
            columns[column] = index
        }
        self.columns = columns
    }

    /// - Returns: The hold before, when this row begins another, and what is wrong with the row; a hold with a wrong
    ///   row is left out.
    mutating func take(_ row: String, line: Int) -> [Result<Rows, HoldProblem>] {
        let fields = Self.fields(row)
        let id = self.value(.id, fields) ?? "1"
        var results: [Result<Rows, HoldProblem>] = []
        if self.rows?.id != id {
            if let rows = self.takeLast() { results.append(.success(rows)) }
            self.rows = Rows(id: id)
        }
        guard !self.isBroken else { return results }
        do {
            try self.add(fields, line: line)
        } catch {
            self.isBroken = true
            results.append(.failure(error))
        }
        return results
    }

    /// - Returns: The rows of the last hold, unless one of them was wrong.
    mutating func takeLast() -> Rows? {
        defer {
            self.rows = nil
            self.isBroken = false
        }
        return self.isBroken ? nil : self.rows
    }

    private mutating func add(_ fields: [String], line: Int) throws(HoldProblem) {
        let stable = try self.counts(.stableRequests, .stableBad, fields, line)
        guard let stable else {
            throw HoldProblem(line: line, message: "`stable_requests` and `stable_bad` are whole numbers in every row")
        }
        if let canary = try self.counts(.canaryRequests, .canaryBad, fields, line) {
            self.rows?.polls.append(Poll(canary: canary, stable: stable))
        } else {
            self.rows?.history.append(stable)
        }
        guard self.rows?.polls.count ?? 0 <= HoldSource.pollLimit else {
            throw HoldProblem(
                line: line,
                message: "more than \(HoldSource.pollLimit) polls: sum them up to longer ones"
            )
        }
    }

    /// - Returns: Nothing when both columns are empty.
    private func counts(
        _ requests: Column,
        _ bad: Column,
        _ fields: [String],
        _ line: Int
    ) throws(HoldProblem) -> EventCounts? {
        let (total, failed) = (self.value(requests, fields) ?? "", self.value(bad, fields) ?? "")
        if total.isEmpty, failed.isEmpty { return nil }
        guard let total = Int64(total), let failed = Int64(failed) else {
            throw HoldProblem(
                line: line,
                message: "`\(requests.rawValue)` and `\(bad.rawValue)` are whole numbers, or both empty"
            )
        }
        return try HoldSource.counts(total, failed, "`\(bad.rawValue)`", line)
    }

    private func value(_ column: Column, _ fields: [String]) -> String? {
        self.columns[column].flatMap { $0 < fields.count ? fields[$0] : nil }
    }

    private static func fields(_ row: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in row {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            case "\r", "\n", "\r\n": break
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields.map { field in
            String(field.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}

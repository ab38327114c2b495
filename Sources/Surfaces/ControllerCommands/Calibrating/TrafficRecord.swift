import Analysis

/// A record of what a stable revision counted, from a file: `requests,bad` a line, a piece of time each.
///
/// A first line of column names is skipped, and brackets around a line are allowed, so that the `history` of
/// `controller judge` can be pasted a pair a line.
enum TrafficRecord {
    /// Ten days of pieces of ten seconds.
    static let limit = 100_000

    /// - Throws: A `CommandFailure` that names the line.
    static func read(_ path: String) throws -> [EventCounts] {
        var reader = try LineReader(path: path)
        var pieces: [EventCounts] = []
        while let bytes = try reader.next() {
            let line = String(decoding: bytes, as: UTF8.self)
            if let match = line.wholeMatch(of: /\s*\[?\s*([0-9]{1,15})\s*,\s*([0-9]{1,15})\s*\]?\s*,?\s*/),
                let total = Int64(match.1), let bad = Int64(match.2)
            {
                guard bad <= total else {
                    throw CommandFailure(
                        code: .usage,
                        message: "\(path):\(reader.number): \(bad) bad of \(total) requests: requests come first"
                    )
                }
                pieces.append(EventCounts(bad: bad, total: total))
            } else if reader.number > 1 || line.wholeMatch(of: /\s*[A-Za-z_]+\s*,\s*[A-Za-z_]+\s*/) == nil {
                throw CommandFailure(
                    code: .usage,
                    message: "\(path):\(reader.number): a line is `requests,bad`, two whole numbers such as `1900,2`"
                )
            }
            guard pieces.count <= Self.limit else {
                throw CommandFailure(
                    code: .usage,
                    message: "\(path): more than \(Self.limit) lines: sum them up to longer pieces"
                )
            }
        }
        return pieces
    }
}

/// What changed in a file, as `diff -u` writes it.
enum UnifiedDiff {
    private static let context = 3

    /// - Returns: One hunk from the first change to the last; nothing but the names when nothing changed.
    static func text(from old: [UInt8], to new: [UInt8], path: String) -> String {
        let (before, after) = (Self.lines(of: old), Self.lines(of: new))
        let difference = after.difference(from: before)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var marked: [(mark: Character, line: String)] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if removed.contains(left) {
                marked.append(("-", before[left]))
                left += 1
            } else if inserted.contains(right) {
                marked.append(("+", after[right]))
                right += 1
            } else {
                marked.append((" ", before[left]))
                (left, right) = (left + 1, right + 1)
            }
        }
        let path = PrintableText.line(path, limit: 500)
        let head = "--- a/\(path)\n+++ b/\(path)\n"
        guard let first = marked.firstIndex(where: { $0.mark != " " }),
            let last = marked.lastIndex(where: { $0.mark != " " })
        else { return head }
        let start = max(0, first - Self.context)
        let hunk = marked[start..<min(marked.count, last + Self.context + 1)]
        let counts = (hunk.count { $0.mark != "+" }, hunk.count { $0.mark != "-" })
        let lines = hunk.map { "\($0.mark)\($0.line)\n" }.joined()
        return head + "@@ -\(start + 1),\(counts.0) +\(start + 1),\(counts.1) @@\n" + lines
    }

    private static func lines(of bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

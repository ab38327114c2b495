/// Rows under headings, each column as wide as its widest cell.
package struct TextTable: Sendable {
    private let headings: [String]
    private var rows: [[StyledText]] = []

    package init(_ headings: String...) {
        self.headings = headings
    }

    package mutating func add(_ cells: StyledText...) {
        self.rows.append(cells)
    }

    /// Lines are cut off at the width; without one, as in a pipe, they stay whole.
    package func lines(width: Int?) -> [StyledText] {
        let table = [self.headings.map { StyledText($0, .dim) }] + self.rows
        return Self.aligned(table).map { line in width.map { line.truncated(to: $0) } ?? line }
    }

    /// Pads every cell but a row's last to its column's width.
    package static func aligned(_ rows: [[StyledText]], gap: Int = 2) -> [StyledText] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].width : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = StyledText()
            for (column, cell) in row.enumerated() {
                line += column + 1 < row.count ? cell.padded(to: widths[column] + gap) : cell
            }
            return line
        }
    }
}

/// A place in a text, its lines and its columns (Unicode scalars) counted from 1.
///
/// Every value of every manifest has one, so it is kept small: no file that is read has as many bytes as fit.
package struct TextPosition: Hashable, Comparable, Sendable {
    private var shortLine: Int32
    private var shortColumn: Int32
    private var shortLayer: Int32 = 0

    package init(line: Int, column: Int) {
        self.shortLine = Int32(clamping: line)
        self.shortColumn = Int32(clamping: column)
    }

    package var line: Int { Int(self.shortLine) }
    package var column: Int { Int(self.shortColumn) }

    /// Which text it is in: 0 is the document's own, others are those of the ``DefaultsChain``'s files, counted from 1.
    package var layer: Int {
        get { Int(self.shortLayer) }
        set { self.shortLayer = Int32(clamping: newValue) }
    }

    /// The place of the byte at `offset`, which may lie behind the end.
    package init(of offset: Int, in bytes: some Collection<UInt8>) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(max(0, offset)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.init(line: line, column: column)
    }

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    /// Whether what stands here goes before what stands there: the manifest before all, and of two `defaults.yaml` the
    /// one in the inner folder.
    func isNearer(than other: TextPosition) -> Bool {
        self.layer != other.layer && (self.layer == 0 || other.layer != 0 && self.layer > other.layer)
    }
}

import Glibc

/// The size of a terminal in characters.
package struct Terminal: Hashable, Sendable {
    package var columns: Int
    package var rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }

    /// The terminal behind a file descriptor; nothing when there is none.
    static func attached(to descriptor: Int32) -> Terminal? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        // Some consoles (serial lines, CI) do not know their size and say 0.
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return Terminal(columns: 80, rows: 24)
        }
        return Terminal(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}

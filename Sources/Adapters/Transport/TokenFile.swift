import Glibc

/// A token in a variable of this process's environment.
package enum TokenVariable {
    /// - Returns: A text of printable ASCII characters.
    /// - Throws: ``TokenFile/Missing`` when the variable is not set, or to something else.
    package static func read(_ name: String) throws(TokenFile.Missing) -> String {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty,
            value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw TokenFile.Missing(
                text: "the variable \(name) of the controller's environment holds no token: set it and restart"
            )
        }
        return value
    }
}

/// A token in the first line of a file, which is read for every request, so that it may be renewed.
package enum TokenFile {
    /// Why there is none; its text names the file and what to do.
    package struct Missing: Error, Hashable, Sendable {
        package var text: String
    }

    /// More than any token has; the rest of a file is not read.
    private static let limit = 16 << 10

    /// - Returns: A text of printable ASCII characters, without spaces at its ends.
    /// - Throws: ``Missing`` when the file cannot be read or begins with no such line.
    package static func read(_ path: String) throws(Missing) -> String {
        // Without waiting for somebody to write, as into a pipe.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Self.unreadable(path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.limit)
        while bytes.count < Self.limit {
            let count = Glibc.read(file, &buffer, Self.limit - bytes.count)
            guard count >= 0 else { throw Self.unreadable(path) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        let token = line.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        guard !token.isEmpty, token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Missing(text: "the first line of the token file \(path) holds no token")
        }
        return String(decoding: Array(token), as: UTF8.self)
    }

    private static func unreadable(_ path: String) -> Missing {
        Missing(text: "the token file \(path) cannot be read; check its path and owner")
    }
}

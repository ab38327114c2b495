extension Field {
    /// A DNS-1123 label: the name of a thing.
    package func label() -> String? {
        let form = "a name of at most 63 lower-case letters, digits and inner hyphens"
        return self.string(form: form, where: NameForm.isLabel)
    }

    package func hostName() -> String? {
        self.string(form: "a host name in lower case, such as models.example", where: NameForm.isHost)
    }

    package func headerName() -> String? {
        self.string(limit: 128, form: "the name of an HTTP header", where: NameForm.isHeader)
    }
}

/// The forms of names.
package enum NameForm {
    /// RFC 1123, and the rule for names in Kubernetes.
    package static func isLabel(_ text: String) -> Bool {
        let isInner = { (byte: UInt8) in Self.isLowerOrDigit(byte) || byte == UInt8(ascii: "-") }
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
        return Self.isLowerOrDigit(first) && Self.isLowerOrDigit(last) && text.hasOnly(isInner)
    }

    package static func isHost(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { Self.isLabel(String($0)) }
    }

    /// A token of RFC 9110, section 5.6.2.
    package static func isHeader(_ text: String) -> Bool {
        !text.isEmpty
            && text.hasOnly { Self.isLetterOrDigit($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Starts with a letter, a digit or an underscore, so that no program takes it for an option or a hidden file.
    package static func isIdentifier(_ text: String, also inner: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return (Self.isLetterOrDigit(first) || first == UInt8(ascii: "_"))
            && text.hasOnly {
                Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || inner.utf8.contains($0)
            }
    }

    /// An absolute path of a URL, without query, and with no part that is empty, `.` or `..`.
    static func isPath(_ text: String, also inner: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "/") else { return false }
        var (length, dots) = (0, 0)
        for byte in text.utf8.dropFirst() {
            if byte == UInt8(ascii: "/") {
                if length == 0 || length == dots && dots <= 2 { return false }
                (length, dots) = (0, 0)
                continue
            }
            length += 1
            if byte == UInt8(ascii: ".") { dots += 1 }
            guard Self.isLetterOrDigit(byte) || "-._~!$&'()*+,;=:@%".utf8.contains(byte) || inner.utf8.contains(byte)
            else { return false }
        }
        return length == 0 || length > dots || dots > 2
    }

    /// POSIX: letters, digits and underscores, no digit first.
    package static func isEnvironmentVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !first.isDecimalDigit else { return false }
        return Self.isIdentifier(text, also: "")
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte.isDecimalDigit
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        Self.isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

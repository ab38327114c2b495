/// What a URI `models:/NAME/VERSION` or `models:/NAME@ALIAS` names in a model registry.
package struct ModelReference: Hashable, Sendable, CustomStringConvertible {
    package enum Selector: Hashable, Sendable {
        /// From 1 on. Its files are meant never to change.
        case version(Int)
        /// May be moved from one version to another at any time.
        case alias(String)
    }

    package var name: String
    package var selector: Selector

    package init(name: String, selector: Selector) {
        self.name = name
        self.selector = selector
    }

    package static let scheme = "models:"

    /// - Returns: Nothing when `uri` has another scheme, or is not of these forms.
    package init?(_ uri: String) {
        guard uri.hasPrefix("\(Self.scheme)/") else { return nil }
        let rest = uri.dropFirst(Self.scheme.count + 1)
        if let slash = rest.firstIndex(of: "/") {
            let digits = rest[rest.index(after: slash)...]
            guard let number = Self.number(digits) else { return nil }
            self.init(name: String(rest[..<slash]), selector: .version(number))
        } else if let at = rest.lastIndex(of: "@") {
            self.init(name: String(rest[..<at]), selector: .alias(String(rest[rest.index(after: at)...])))
        } else {
            return nil
        }
        if case .alias(let alias) = self.selector, !Self.isAlias(alias) { return nil }
        guard Self.isName(self.name) else { return nil }
    }

    /// The URI.
    package var description: String {
        switch self.selector {
        case .version(let number): "\(Self.scheme)/\(self.name)/\(number)"
        case .alias(let alias): "\(Self.scheme)/\(self.name)@\(alias)"
        }
    }

    package var alias: String? {
        if case .alias(let alias) = self.selector { alias } else { nil }
    }

    /// Letters, digits and inside also `.`, `_`, `-` and `+`, at most 256 bytes. MLflow
    /// itself refuses only `/` and `:`.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 256, Self.isWord(first) else { return false }
        return text.utf8.allSatisfy { Self.isWord($0) || ".-+".utf8.contains($0) }
    }

    /// As MLflow has it: letters, digits, `_` and `-`, but neither `latest` nor what looks like a version (`v7`).
    package static func isAlias(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 255, text.utf8.allSatisfy({ Self.isWord($0) || $0 == 0x2D }) else {
            return false
        }
        let lower = text.lowercased()
        return lower != "latest" && !(lower.hasPrefix("v") && Self.number(lower.dropFirst(), leadingZeros: true) != nil)
    }

    /// Ten digits at most: MLflow's versions are integers of 32 bits.
    private static func number(_ text: Substring, leadingZeros: Bool = false) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            leadingZeros || text.first != "0"
        else { return nil }
        return Int(text)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// A look into JSON that our own encoder wrote, without decoding it: numbers keep the digits that they were written
/// with. What is not canonical JSON gives wrong answers, never a crash.
struct JSONSlice: Equatable {
    var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Nothing when it is no object.
    var members: [(key: String, value: JSONSlice)]? {
        guard self.bytes.first == UInt8(ascii: "{") else { return nil }
        return self.parts.map { part in
            let end = Self.endOfString(part)
            let key = String(decoding: part[part.startIndex..<end].dropFirst().dropLast(), as: UTF8.self)
            return (key, JSONSlice(part[end...].dropFirst()))
        }
    }

    /// Nothing when it is no array.
    var elements: [JSONSlice]? {
        guard self.bytes.first == UInt8(ascii: "[") else { return nil }
        return self.parts.map { JSONSlice($0) }
    }

    /// What lies between the commas of an object or an array.
    private var parts: [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        let inner = self.bytes.dropFirst().dropLast()
        var (start, index, depth) = (inner.startIndex, inner.startIndex, 0)
        while index < inner.endIndex {
            switch inner[index] {
            case UInt8(ascii: "\""):
                index = Self.endOfString(inner[index...])
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                parts.append(inner[start..<index])
                start = index + 1
            default: break
            }
            index += 1
        }
        if start < inner.endIndex { parts.append(inner[start...]) }
        return parts
    }

    /// Behind the closing quote of the string that the bytes begin with.
    private static func endOfString(_ bytes: ArraySlice<UInt8>) -> Int {
        var index = bytes.startIndex + 1
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "\"") { return index + 1 }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return bytes.endIndex
    }
}

extension JSONSlice {
    /// Every field down to the second level, small ones as they are and large ones by digest: enough to say where two
    /// rollouts differ without keeping both.
    var outline: [String: String] {
        var outline: [String: String] = [:]
        self.outline(path: "", depth: 0, into: &outline)
        return outline
    }

    /// Bytes. A digest's text is 23.
    private static let small = 64

    private func outline(path: String, depth: Int, into outline: inout [String: String]) {
        if depth < 2, depth == 0 || self.bytes.count > Self.small, let members = self.members {
            for (key, value) in members {
                value.outline(path: path.isEmpty ? key : "\(path).\(key)", depth: depth + 1, into: &outline)
            }
        } else {
            outline[path] =
                self.bytes.count <= Self.small
                ? self.text : "sha256:\(CanonicalCoding.digest(of: self.bytes).prefix(16))"
        }
    }

    /// The first place, in the order of keys, where two values differ: `plan.effects[0].route`.
    ///
    /// - Returns: Nothing when they are equal.
    static func firstDifference(
        _ left: JSONSlice,
        _ right: JSONSlice,
        path: String = ""
    ) -> (path: String, left: String, right: String)? {
        if left == right { return nil }
        if let ours = left.members, let theirs = right.members {
            let (mine, other) = (Self.byKey(ours), Self.byKey(theirs))
            for key in Set(mine.keys).union(other.keys).sorted() {
                let place = path.isEmpty ? key : "\(path).\(key)"
                guard let first = mine[key], let second = other[key] else {
                    return (place, mine[key]?.text ?? "nothing", other[key]?.text ?? "nothing")
                }
                if let found = Self.firstDifference(first, second, path: place) { return found }
            }
        }
        if let ours = left.elements, let theirs = right.elements {
            for (index, (first, second)) in zip(ours, theirs).enumerated() {
                if let found = Self.firstDifference(first, second, path: "\(path)[\(index)]") { return found }
            }
            if ours.count != theirs.count {
                let index = min(ours.count, theirs.count)
                return (
                    "\(path)[\(index)]",
                    ours.dropFirst(index).first?.text ?? "nothing",
                    theirs.dropFirst(index).first?.text ?? "nothing"
                )
            }
        }
        return (path, left.text, right.text)
    }

    private static func byKey(_ members: [(key: String, value: JSONSlice)]) -> [String: JSONSlice] {
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

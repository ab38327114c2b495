/// Finds what somebody meant by a misspelt name.
package enum NearestName {
    /// The known name nearest to `name`, when it is near enough to be what was meant.
    ///
    /// The same name in another namespace comes first, as leaving the namespace out is the commonest slip.
    package static func find(_ name: String, among known: [String]) -> String? {
        let candidates = known.sorted()
        let last = Self.lastPart(of: name)
        if let elsewhere = candidates.first(where: { Self.lastPart(of: $0) == last }) { return elsewhere }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            // A bare name means the namespace `default`, so the name alone may be what is misspelt.
            let distance = min(
                Self.distance(name, candidate),
                Self.distance(last, Self.lastPart(of: candidate)) + (name.hasPrefix("default/") ? 0 : 1)
            )
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        // A third of the letters wrong is another word.
        guard let best, best.distance <= max(1, last.count / 3) else { return nil }
        return best.name
    }

    /// `; did you mean search/file-type?` or nothing.
    package static func suggestion(for name: String, among known: [String]) -> String {
        Self.find(name, among: known).map { "; did you mean \($0)?" } ?? ""
    }

    private static func lastPart(of name: String) -> String {
        String(name.split(separator: "/").last ?? "")
    }

    /// The optimal string alignment distance: letters inserted, left out, replaced, or two neighbours swapped.
    static func distance(_ left: String, _ right: String) -> Int {
        let (from, to) = (Array(left.utf8.prefix(128)), Array(right.utf8.prefix(128)))
        var beforeLast = [Int](repeating: 0, count: to.count + 1)
        var last = Array(0...to.count)
        for row in from.indices {
            var current = [row + 1] + [Int](repeating: 0, count: to.count)
            for column in to.indices {
                let substitution = last[column] + (from[row] == to[column] ? 0 : 1)
                current[column + 1] = min(substitution, last[column + 1] + 1, current[column] + 1)
                let swapped =
                    row > 0 && column > 0 && from[row] == to[column - 1] && from[row - 1] == to[column]
                if swapped { current[column + 1] = min(current[column + 1], beforeLast[column - 1] + 1) }
            }
            (beforeLast, last) = (last, current)
        }
        return last[to.count]
    }
}

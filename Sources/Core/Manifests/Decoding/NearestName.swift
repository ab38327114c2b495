/// Finds what an author probably meant.
package enum NearestName {
    /// The known name that is few typing errors away from `name`.
    package static func of(_ name: String, among known: some Sequence<String>) -> String? {
        let written = Array(name.lowercased().unicodeScalars.prefix(80))
        let limit = max(1, written.count / 3)
        var best: (name: String, distance: Int)?
        for candidate in known.sorted() {
            let letters = Array(candidate.lowercased().unicodeScalars.prefix(80))
            guard abs(letters.count - written.count) <= limit else { continue }
            let distance = Self.distance(written, letters)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The end of a message about an unknown name: the nearest known one, or what there is.
    package static func hint(for name: String, among known: some Collection<String>) -> String {
        if let nearest = Self.of(name, among: known) { return "did you mean \(nearest.inBackticks)?" }
        if known.isEmpty { return "there is none" }
        let shown = known.sorted().prefix(20)
        return "known are \(shown.joined(lastWith: "and"))\(known.count > shown.count ? " and others" : "")"
    }

    /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var current = [i + 1]
            for (j, b) in right.enumerated() {
                var cost = min(previous[j] + (a == b ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a == right[j - 1], b == left[i - 1] { cost = min(cost, beforePrevious[j - 1] + 1) }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}

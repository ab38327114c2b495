import Foundation

/// A bar that is filled in part. Drawn as SVG, since a page may carry no style of its own.
enum Bar {
    /// - Parameters:
    ///   - share: 0 to 1; what is no number draws nothing.
    ///   - kind: The class that colours it.
    ///   - label: What it says, for those who do not see it; the share is added in percent.
    /// - Returns: The drawing.
    static func render(_ share: Double, _ kind: String, label: String) -> HTML {
        let percent = share.isFinite ? Int((min(1, max(0, share)) * 100).rounded()) : 0
        // Never full before the decision.
        let shown = share < 1 ? min(99, percent) : percent
        return """
            <svg class="bar \(kind)" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" \
            aria-label="\(label): \(shown) %"><rect class="track" width="100" height="8"/>\
            <rect class="fill" width="\(shown)" height="8"/></svg>
            """
    }
}

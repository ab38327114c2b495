import Analysis
import ControllerWords
import Foundation

/// Draws the time to detection against the size of the regression, as SVG without anything from elsewhere.
struct CalibrationPlot {
    private let report: CalibrationReport
    private let width = 640.0
    private let height = 400.0
    private let left = 64.0
    private let right = 24.0
    private let top = 84.0
    private let bottom = 56.0

    init(_ report: CalibrationReport) {
        self.report = report
    }

    private var found: [CalibrationReport.Canary] { self.report.canaries.filter { $0.factor > 1 } }

    // MARK: - Axes

    private var factors: (low: Double, high: Double) {
        let factors = self.found.map(\.factor)
        return (factors.min() ?? 1.5, max(factors.max() ?? 20, 2))
    }

    private func x(_ factor: Double) -> Double {
        let (low, high) = self.factors
        let share = high > low ? log(factor / low) / log(high / low) : 0.5
        return self.left + share * (self.width - self.left - self.right)
    }

    private func y(_ seconds: Double) -> Double {
        let share = min(1, seconds / self.report.stepSeconds)
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)
    }

    // MARK: - Parts

    var svg: String {
        let title = "Time until a regression is found"
        let identical = self.report.canaries.first { $0.factor == 1 }
        let aside =
            "\(NumberText.number(self.report.requestsPerSecond, decimals: 1)) requests/s, step of "
            + "\(NumberText.number(self.report.weightPercent, decimals: 1)) % for "
            + "\(TimeText.span(self.report.stepSeconds)); an identical canary is rolled back in "
            + "\(NumberText.percent(identical?.share ?? 0)) of \(identical?.runs ?? 0) runs"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(self.width)) \(Int(self.height))" role="img" \
            aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="12">
            <title id="t">\(title)</title>
            <desc id="d">\(Self.escaped(self.description))</desc>
            <style>
            text { fill: #1f2328 } .dim { fill: #656d76 } .grid { stroke: #d0d7de } .paper { fill: #ffffff }
            .band { fill: #0969da; fill-opacity: 0.18 } .median { stroke: #0969da; stroke-width: 2; fill: none }
            .dot { fill: #0969da }
            @media (prefers-color-scheme: dark) {
              text { fill: #e6edf3 } .dim { fill: #8d96a0 } .grid { stroke: #3d444d } .paper { fill: #0d1117 }
              .band, .dot { fill: #4493f8 } .median { stroke: #4493f8 }
            }
            </style>
            <rect class="paper" width="100%" height="100%"/>
            <text x="\(Int(self.left))" y="26" font-size="16" font-weight="600">\(title)</text>
            <text x="\(Int(self.left))" y="46" class="dim">\(Self.escaped(self.report.source))</text>
            <text x="\(Int(self.left))" y="62" class="dim" font-size="11">\(Self.escaped(aside))</text>
            \(self.timeAxis)
            \(self.factorAxis)
            \(self.band)
            \(self.medians)
            </svg>

            """
    }

    /// For those who cannot see it.
    private var description: String {
        self.found.map { canary in
            let time =
                canary.medianSeconds.map { "after \(TimeText.span($0))" } ?? "not within the step by half of the runs"
            return "\(CalibrationReport.times(canary.factor)) as many \(self.report.gate.plural): \(time)"
        }.joined(separator: "; ")
    }

    private var timeAxis: String {
        let ticks = (0...4).map { self.report.stepSeconds * Double($0) / 4 }
        let lines = ticks.map { seconds in
            let y = Self.text(self.y(seconds))
            return """
                <line x1="\(Self.text(self.left))" x2="\(Self.text(self.width - self.right))" y1="\(y)" y2="\(y)" \
                class="grid"/><text x="\(Self.text(self.left - 8))" y="\(y)" dy="4" text-anchor="end" \
                class="dim">\(TimeText.span(seconds))</text>
                """
        }
        return lines.joined(separator: "\n")
    }

    private var factorAxis: String {
        let y = Self.text(self.height - self.bottom + 20)
        let labels = self.found.map { canary in
            """
            <text x="\(Self.text(self.x(canary.factor)))" y="\(y)" text-anchor="middle" \
            class="dim">×\(NumberText.number(canary.factor, decimals: 1))</text>
            """
        }
        let middle = Self.text((self.left + self.width - self.right) / 2)
        let name = """
            <text x="\(middle)" y="\(Self.text(self.height - 14))" text-anchor="middle">\
            \(self.report.gate.plural), as a multiple of stable's; line: half of the runs, band: a tenth to nine \
            tenths</text>
            """
        return (labels + [name]).joined(separator: "\n")
    }

    /// From the time by which a tenth of the runs found it to that of nine tenths, or to the step's end.
    private var band: String {
        let parts = self.found.compactMap { canary in
            canary.p10Seconds.map { (canary.factor, $0, canary.p90Seconds ?? self.report.stepSeconds) }
        }
        guard parts.count > 1 else { return "" }
        let upper = parts.map { "\(Self.text(self.x($0.0))),\(Self.text(self.y($0.2)))" }
        let lower = parts.reversed().map { "\(Self.text(self.x($0.0))),\(Self.text(self.y($0.1)))" }
        return """
            <polygon class="band" points="\((upper + lower).joined(separator: " "))"><title>from a tenth to nine \
            tenths of the runs</title></polygon>
            """
    }

    private var medians: String {
        let parts = self.found.compactMap { canary in canary.medianSeconds.map { (canary.factor, $0) } }
        let points = parts.map { "\(Self.text(self.x($0.0))),\(Self.text(self.y($0.1)))" }
        let dots = parts.map { factor, seconds in
            let isLast = factor == parts.last?.0
            let (x, y) = (self.x(factor), self.y(seconds))
            let anchor = isLast ? "end" : "start"
            return """
                <circle class="dot" cx="\(Self.text(x))" cy="\(Self.text(y))" r="4"/><text \
                x="\(Self.text(isLast ? x : x + 6))" y="\(Self.text(y - 8))" text-anchor="\(anchor)" \
                >\(TimeText.span(seconds))</text>
                """
        }
        let line = "<polyline class=\"median\" points=\"\(points.joined(separator: " "))\"/>"
        return ([line] + dots).joined(separator: "\n")
    }

    private static func text(_ value: Double) -> String { NumberText.number(value, decimals: 1) }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

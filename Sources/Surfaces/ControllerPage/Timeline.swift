import ControllerAPI
import ControllerWords
import Foundation

/// The rollout as time went by: the traffic, and for each gate what canary and stable measured with what the canary may
/// have. Drawn by the server; a table says the same.
struct Timeline {
    private let series: SeriesStatus
    private let now: Date
    private let span: ClosedRange<Date>

    init(_ series: SeriesStatus, now: Date) {
        self.series = series
        self.now = now
        let times = series.traffic.map(\.time) + series.gates.flatMap { $0.points.map(\.time) }
        let start = times.min() ?? now
        self.span = start...max(times.max() ?? now, start.addingTimeInterval(1))
    }

    var html: HTML {
        guard self.series.traffic.count > 1 || self.series.gates.contains(where: { $0.points.count > 1 }) else {
            return .none
        }
        return """
            <section id="timeline" aria-labelledby="timeline-title"><h2 id="timeline-title">Timeline</h2>
            <ul class="legend" aria-label="Lines"><li class="canary">canary</li><li class="stable">stable</li>\
            <li class="limit">what the canary may have</li><li class="band">95 % confidence</li></ul>
            \(self.traffic)
            \(self.series.gates.enumerated().map { self.gate($1, number: $0 + 1) })
            </section>
            """
    }

    // MARK: Charts

    private var traffic: HTML {
        let points = self.series.traffic
        guard let last = points.last else { return .none }
        let canary = points.map { (time: $0.time, value: Double($0.canary) / 100) }
        let stable = points.map { (time: $0.time, value: Double($0.stable) / 100) }
        let shapes: HTML = """
            <path class="line stable" d="\(self.staircase(stable))"/>
            <path class="line canary" d="\(self.staircase(canary))"/>
            """
        let words = "canary \(last.canary) %, stable \(last.stable) %"
        return self.figure("traffic", "Traffic", words, top: 1, shapes, table: self.trafficTable)
    }

    private func gate(_ gate: SeriesStatus.Gate, number: Int) -> HTML {
        let shares = gate.points.flatMap { [$0.canary, $0.stable] }.compactMap { $0 }
        guard let last = gate.points.last, !shares.isEmpty else { return .none }
        // Intervals of the first requests reach to 1 and would leave nothing to see of what follows.
        let values = shares.map(\.value) + gate.points.compactMap(\.limit)
        let upper = [last.canary?.upper, last.stable?.upper].compactMap { $0 }
        let top = min(1, max((values + upper).max() ?? 0, 0.0005) * 1.25)
        let pieces = self.pieces(gate.points)
        let shapes = pieces.flatMap { piece -> [HTML] in
            [
                "<path class=\"area stable\" d=\"\(self.band(piece, \.stable, top))\"/>\n",
                "<path class=\"area canary\" d=\"\(self.band(piece, \.canary, top))\"/>\n",
                "<path class=\"line limit\" d=\"\(self.line(piece, top) { $0.limit })\"/>\n",
                "<path class=\"line stable\" d=\"\(self.line(piece, top) { $0.stable?.value })\"/>\n",
                "<path class=\"line canary\" d=\"\(self.line(piece, top) { $0.canary?.value })\"/>\n",
            ]
        }
        let limit = last.limit.map { ", allowed \(Percent.text($0))" } ?? ""
        let words = "canary \(Self.words(last.canary)), stable \(Self.words(last.stable))\(limit)"
        let borders = pieces.dropFirst().compactMap { $0.first }.map { point -> HTML in
            let x = self.x(point.time)
            return "<path class=\"border\" d=\"M\(x) 0V100\"/>\n"
        }
        return self.figure(
            "gate-\(number)",
            "\(gate.name): \(gate.counts)",
            words,
            top: top,
            HTML("\(borders)\(shapes)"),
            table: self.table(of: gate)
        )
    }

    private func figure(_ id: String, _ title: String, _ words: String, top: Double, _ shapes: HTML, table: HTML)
        -> HTML
    {
        """
        <figure id="chart-\(id)" class="chart"><figcaption><b>\(title)</b> <span>\(words)</span></figcaption>
        <div class="plot"><span class="y-top" aria-hidden="true">\(Percent.text(top))</span>\
        <span class="y-zero" aria-hidden="true">0</span>
        <svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-labelledby="svg-\(id)-title \
        svg-\(id)-desc"><title id="svg-\(id)-title">\(title)</title>
        <desc id="svg-\(id)-desc">At last: \(words).</desc>
        \(shapes)</svg>
        <span class="x-start" aria-hidden="true">\(TimeText.clock(self.span.lowerBound, now: self.now))</span>\
        <span class="x-end" aria-hidden="true">\(TimeText.clock(self.span.upperBound, now: self.now))</span></div>
        <details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" \
        aria-label="Table of \(title)">\(table)</div></details></figure>

        """
    }

    // MARK: Tables

    /// Rows enough to follow, few enough to listen to.
    private static let rows = 20

    private static func thinned<Value>(_ values: [Value]) -> [Value] {
        guard values.count > self.rows else { return values }
        return (0..<self.rows).map { values[$0 * (values.count - 1) / (self.rows - 1)] }
    }

    private var trafficTable: HTML {
        let rows = Self.thinned(self.series.traffic).map { point -> HTML in
            """
            <tr><th scope="row">\(PageShell.clock(point.time, now: self.now))</th><td>\(point.canary) %</td>\
            <td>\(point.stable) %</td></tr>

            """
        }
        return """
            <table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Canary</th><th scope="col">Stable</th></tr>
            </thead><tbody>\(rows)</tbody></table>
            """
    }

    private func table(of gate: SeriesStatus.Gate) -> HTML {
        let rows = Self.thinned(gate.points).map { point -> HTML in
            """
            <tr><th scope="row">\(PageShell.clock(point.time, now: self.now))</th><td>\(point.step)</td>\
            <td>\(Self.words(point.canary))</td><td>\(Self.words(point.stable))</td>\
            <td>\(point.limit.map { Percent.text($0) } ?? "-")</td><td>\(point.outcome)</td></tr>

            """
        }
        return """
            <table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Step</th><th scope="col">Canary</th>\
            <th scope="col">Stable</th><th scope="col">Allowed</th><th scope="col">Outcome</th></tr></thead>
            <tbody>\(rows)</tbody></table>
            """
    }

    private static func words(_ share: SeriesStatus.Share?) -> String {
        guard let share else { return "no requests" }
        return "\(Percent.text(share.value)) of \(share.requests) "
            + "(\(Percent.text(share.lower)) to \(Percent.text(share.upper)))"
    }

    // MARK: Shapes

    /// What is counted begins anew with each step, so no line goes from one to the next.
    private func pieces(_ points: [SeriesStatus.Point]) -> [[SeriesStatus.Point]] {
        points.reduce(into: []) { pieces, point in
            if let last = pieces.last?.last, last.step == point.step {
                pieces[pieces.count - 1].append(point)
            } else {
                pieces.append([point])
            }
        }
    }

    private func x(_ time: Date) -> String {
        let whole = self.span.upperBound.timeIntervalSince(self.span.lowerBound)
        return Self.number(time.timeIntervalSince(self.span.lowerBound) / whole * 1000)
    }

    private func y(_ value: Double, _ top: Double) -> String {
        Self.number(100 - min(1, max(0, value / top)) * 100)
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        return "\((value * 10).rounded() / 10)"
    }

    private func line(_ points: [SeriesStatus.Point], _ top: Double, _ value: (SeriesStatus.Point) -> Double?)
        -> String
    {
        let known = points.compactMap { point in value(point).map { (point.time, $0) } }
        guard let first = known.first else { return "M0 100" }
        // A line of one point is a dot.
        if known.count == 1 { return "M\(self.x(first.0)) \(self.y(first.1, top))h0.1" }
        return "M" + known.map { "\(self.x($0.0)) \(self.y($0.1, top))" }.joined(separator: "L")
    }

    private func band(
        _ points: [SeriesStatus.Point],
        _ track: KeyPath<SeriesStatus.Point, SeriesStatus.Share?>,
        _ top: Double
    ) -> String {
        let known = points.compactMap { point in point[keyPath: track].map { (point.time, $0) } }
        guard known.count > 1 else { return "M0 100" }
        let above = known.map { "\(self.x($0.0)) \(self.y($0.1.upper, top))" }
        let below = known.reversed().map { "\(self.x($0.0)) \(self.y($0.1.lower, top))" }
        return "M" + (above + below).joined(separator: "L") + "Z"
    }

    /// Weights change at once, and stay.
    private func staircase(_ points: [(time: Date, value: Double)]) -> String {
        guard let first = points.first else { return "M0 100" }
        var path = "M\(self.x(first.time)) \(self.y(first.value, 1))"
        for point in points.dropFirst() { path += "H\(self.x(point.time))V\(self.y(point.value, 1))" }
        return path
    }
}

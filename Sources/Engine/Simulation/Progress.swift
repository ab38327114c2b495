/// How far a long run is, for people: as often as is worth saying.
package struct Progress: Sendable {
    private let total: UInt64
    private let interval: Duration
    private var next: Duration

    /// - Parameters:
    ///   - total: How many worlds are to be run.
    ///   - isTerminal: One line that is written again and again; elsewhere, as in a log, a line a minute.
    package init(of total: UInt64, isTerminal: Bool) {
        self.total = total
        self.interval = isTerminal ? .seconds(1) : .seconds(60)
        self.next = self.interval
    }

    /// - Parameters:
    ///   - count: How many worlds were run.
    ///   - broken: In how many of them a rule was broken.
    ///   - elapsed: Since the beginning.
    /// - Returns: Nothing when it is too early to say something again.
    package mutating func text(after count: UInt64, broken: Int, elapsed: Duration) -> String? {
        guard elapsed >= self.next else { return nil }
        self.next = elapsed + self.interval
        let rate = Double(count) / max(0.001, elapsed / .seconds(1))
        let left = count < self.total && count > 0 ? Double(self.total - count) / rate : 0
        return "\(count) of \(self.total) worlds, \(Int(rate))/s, \(Self.text(seconds: left)) left, broken: \(broken)"
    }

    private static func text(seconds: Double) -> String {
        // A run of centuries is no number of an Int's width.
        let whole = Int(min(seconds.rounded(.up), 1e9))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

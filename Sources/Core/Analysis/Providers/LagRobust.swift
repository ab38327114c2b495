/// The canary's counts of one poll, with stable's of the poll before, of the same and of the one after.
struct LagPairs<Counts> {
    var canary: Counts
    /// Nothing in a step's first poll.
    var before: Counts?
    var same: Counts
    var after: Counts
    var seconds: Double
}

/// Pairs polls of counters that are not read in one instant; why is said at ``LagRobustBreach``.
struct LagPairing<Counts: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    /// The newest poll, for which stable's next is not known yet, and the one before.
    private var last: Poll?
    private var lastButOne: Poll?

    private struct Poll: Hashable, Codable, Sendable {
        var canary: Counts
        var stable: Counts
        var seconds: Double
    }

    /// What was counted at another weight is not paired with what comes.
    mutating func begin() { self = LagPairing() }

    /// - Returns: The pairs of the poll before this one; nothing at the first.
    mutating func add(canary: Counts, stable: Counts, seconds: Double) -> LagPairs<Counts>? {
        defer {
            self.lastButOne = self.last
            self.last = Poll(canary: canary, stable: stable, seconds: seconds)
        }
        return self.last.map {
            LagPairs(
                canary: $0.canary,
                before: self.lastButOne?.stable,
                same: $0.stable,
                after: stable,
                seconds: $0.seconds
            )
        }
    }
}

/// A process over each of the three pairings. The least of their evidence is never more than that of the rightly
/// aligned one, whose guarantee it has.
struct LagRobust<Process: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    var before: Process
    var same: Process
    var after: Process

    init(_ process: Process) {
        (self.before, self.same, self.after) = (process, process, process)
    }

    /// Gives each process the canary's counts of one poll, and the stable ones that it compares them with.
    mutating func add<Counts>(_ pairs: LagPairs<Counts>, _ add: (inout Process, Counts, Counts) -> Void) {
        if let before = pairs.before { add(&self.before, pairs.canary, before) }
        add(&self.same, pairs.canary, pairs.same)
        add(&self.after, pairs.canary, pairs.after)
    }

    mutating func each(_ change: (inout Process) -> Void) {
        change(&self.before)
        change(&self.same)
        change(&self.after)
    }

    func least(_ logE: (Process) -> Double) -> Double {
        min(logE(self.before), logE(self.same), logE(self.after))
    }
}

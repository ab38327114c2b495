import Analysis

/// One line of the table: a world that is the same for all judges.
struct Cell {
    enum Canary: Equatable {
        case identical
        /// Identical, through an incident of both, counters read 5 s apart.
        case sharedIncident
        /// Fails so many times as often as stable.
        case worse(Double)
        /// Fails this share of its requests.
        case failing(Double)
    }

    let requestsPerSecond: Double
    /// Share of stable's requests that fail.
    let baseline: Double
    let canary: Canary

    static let weight = 0.05
    static let pollSeconds = 10.0
    static let polls = 180
    /// An incident that both share: a fifth of all requests fail for five minutes.
    private static let incident = (from: 600.0, until: 900.0, rate: 0.2)

    static let all: [Cell] = [Canary.identical, .sharedIncident, .worse(5), .failing(0.5)].flatMap { canary in
        [0.001, 0.01].flatMap { baseline in
            [20.0, 200, 2000].map { Cell(requestsPerSecond: $0, baseline: baseline, canary: canary) }
        }
    }

    /// Whether a judge that rolls this canary back is wrong.
    var isHealthy: Bool { self.canary == .identical || self.canary == .sharedIncident }

    var name: String {
        switch self.canary {
        case .identical: "identical"
        case .sharedIncident: "identical, shared incident, read 5 s apart"
        case .worse(let factor): "\(Int(factor)) times the errors"
        case .failing(let share): "fails \(Int(share * 100)) %"
        }
    }

    private func rate(of isCanary: Bool, at time: Double) -> Double {
        let isIncident =
            self.canary == .sharedIncident && time >= Self.incident.from && time < Self.incident.until
        if isIncident { return Self.incident.rate }
        guard isCanary else { return self.baseline }
        return switch self.canary {
        case .identical, .sharedIncident: self.baseline
        case .worse(let factor): self.baseline * factor
        case .failing(let share): share
        }
    }

    /// What is drawn for one run: half an hour of stable alone, and half an hour with the canary.
    func hold(run: Int) -> RecordedHold {
        var chance = Chance(seed: self.seed &+ UInt64(run) &* 0xD1B5_4A32_D192_ED03)
        let history = (0..<Self.polls).map { _ in
            Self.counts(self.requestsPerSecond * Self.pollSeconds, self.baseline, &chance)
        }
        let isLagging = self.canary == .sharedIncident
        // In halves of a poll; where the counters are read apart, stable's lie one half earlier or later.
        let half = Self.pollSeconds / 2
        let shift = isLagging ? (run.isMultiple(of: 2) ? -half : half) : 0
        let polls = (0..<Self.polls).map { poll in
            var (canary, stable) = (EventCounts(), EventCounts())
            for part in 0..<2 {
                let time = Double(poll) * Self.pollSeconds + Double(part) * half
                let requests = self.requestsPerSecond * half
                canary += Self.counts(requests * Self.weight, self.rate(of: true, at: time), &chance)
                stable += Self.counts(requests * (1 - Self.weight), self.rate(of: false, at: time + shift), &chance)
            }
            return HoldPoll(seconds: Self.pollSeconds, canary: canary, stable: stable)
        }
        return RecordedHold(history: history, polls: polls, isLagging: isLagging)
    }

    /// Good and bad requests of a Poisson stream are Poisson numbers of their own.
    static func counts(_ requests: Double, _ rate: Double, _ chance: inout Chance) -> EventCounts {
        let bad = chance.poisson(requests * rate)
        return EventCounts(bad: bad, total: bad + chance.poisson(requests * (1 - rate)))
    }

    private var seed: UInt64 {
        let kind: UInt64 =
            switch self.canary {
            case .identical: 1
            case .sharedIncident: 2
            case .worse: 3
            case .failing: 4
            }
        return kind &* 0x9E37_79B9 &+ UInt64(self.requestsPerSecond) &* 7919 &+ UInt64(self.baseline * 1e6)
    }
}

/// How one judge did in all runs of a cell.
struct CellResult {
    var runs = 0
    /// Seconds until the rollback, of those that were rolled back; ascending once sorted.
    var seconds: [Double] = []
    /// Bad answers of the canary until then.
    var badServed: [Int64] = []

    /// One run: the rollback, if there was one.
    mutating func add(_ rollbackPoll: Int?, of hold: RecordedHold) {
        self.runs += 1
        guard let rollbackPoll else { return }
        self.seconds.append(Double(rollbackPoll) * Cell.pollSeconds)
        self.badServed.append(hold.polls.prefix(rollbackPoll).reduce(0) { $0 + ($1.canary?.bad ?? 0) })
    }

    static func + (left: CellResult, right: CellResult) -> CellResult {
        CellResult(
            runs: left.runs + right.runs,
            seconds: left.seconds + right.seconds,
            badServed: left.badServed + right.badServed
        )
    }

    /// 0 to 1.
    var rolledBack: Double { Double(self.seconds.count) / Double(max(1, self.runs)) }

    /// Over all runs: those that were not rolled back took for ever.
    func quantile(_ share: Double) -> Double? { Self.quantile(self.seconds, of: self.runs, share) }
    func badQuantile(_ share: Double) -> Double? {
        Self.quantile(self.badServed.map(Double.init), of: self.runs, share)
    }

    private static func quantile(_ values: [Double], of runs: Int, _ share: Double) -> Double? {
        let rank = Int((share * Double(runs)).rounded(.up))
        return rank >= 1 && rank <= values.count ? values.sorted()[rank - 1] : nil
    }
}

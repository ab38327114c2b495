/// What canary and stable counted in one poll of a step.
package struct HoldPoll: Hashable, Sendable {
    /// Since the poll before.
    package var seconds: Double
    /// Nothing where the track could not be read.
    package var canary: EventCounts?
    package var stable: EventCounts?

    package init(seconds: Double, canary: EventCounts?, stable: EventCounts?) {
        self.seconds = seconds
        self.canary = canary
        self.stable = stable
    }
}

/// A judge of one step, fed poll after poll: ours, and those of other tools by their own rules.
package protocol HoldJudge: Sendable {
    /// - Returns: What follows from all polls so far. A judge that said ``StepVerdict/rollback`` says so ever after.
    mutating func add(_ poll: HoldPoll) -> StepVerdict
}

/// The rules by which a step may be judged.
package enum JudgePreset: String, Hashable, Sendable, CaseIterable {
    /// The sequential tests of this controller.
    case controller
    case flagger
    case argo
    case kayenta

    /// A judge with the documented defaults of its tool.
    package func judge() -> any HoldJudge {
        switch self {
        case .controller: SequentialJudge()
        case .flagger: FlaggerJudge()
        case .argo: ArgoJudge()
        case .kayenta: KayentaJudge()
        }
    }
}

/// Sums polls up to intervals, for judges that look every so often.
struct IntervalCounts: Hashable, Codable, Sendable {
    let seconds: Double
    private var elapsed = 0.0
    private var canary: EventCounts?
    private var stable: EventCounts?

    init(seconds: Double) {
        self.seconds = seconds
    }

    /// - Returns: What was counted in the interval that this poll ends, if it ends one.
    mutating func add(_ poll: HoldPoll) -> HoldPoll? {
        self.elapsed += poll.seconds
        if let counts = poll.canary { self.canary = (self.canary ?? EventCounts()) + counts }
        if let counts = poll.stable { self.stable = (self.stable ?? EventCounts()) + counts }
        // A hair's breadth for sums of fractions.
        guard self.elapsed >= self.seconds - 1e-6 else { return nil }
        defer { self = IntervalCounts(seconds: self.seconds) }
        return HoldPoll(seconds: self.elapsed, canary: self.canary, stable: self.stable)
    }
}

/// Kayenta's rule: the two tracks' rates, minute by minute, are two samples whose locations are compared; the score is
/// the share of metrics that pass.
///
/// A metric is high when the whole Mann-Whitney interval of the shift lies above `tolerance` times its estimate. With
/// one metric the score is 100 or 0. It is looked at every `interval` over a window that grows, as the tool does by
/// default, without a correction for looking often.
///
/// Source: spinnaker/kayenta, `kayenta-judge` (`MannWhitneyClassifier`, `NetflixACAJudge`): confidence 0.98, tolerance
/// 0.25; identical samples, and samples of a single value, pass.
package struct KayentaJudge: HoldJudge, Hashable, Codable {
    /// Seconds between two looks.
    package var interval: Double
    /// Seconds that one value of a sample covers.
    package var resolution: Double
    package var confidence: Double
    package var tolerance: Double
    /// Seconds after which a canary that passes is promoted.
    package var lifetime: Double
    private var counts: IntervalCounts
    private var canary = RateSamples()
    private var stable = RateSamples()
    private(set) var elapsed = 0.0
    private var lastLook = 0.0
    private var last = StepVerdict.continue

    package init(
        interval: Double = 300,
        resolution: Double = 60,
        confidence: Double = 0.98,
        tolerance: Double = 0.25,
        lifetime: Double = 1800
    ) {
        self.interval = interval
        self.resolution = resolution
        self.confidence = confidence
        self.tolerance = tolerance
        self.lifetime = lifetime
        self.counts = IntervalCounts(seconds: resolution)
    }

    package mutating func add(_ poll: HoldPoll) -> StepVerdict {
        self.elapsed += poll.seconds
        if let values = self.counts.add(poll) {
            // What is missing is left out, on either side by itself.
            self.canary.append(values.canary)
            self.stable.append(values.stable)
        }
        guard self.last == .continue, self.elapsed - self.lastLook >= self.interval - 1e-6 else { return self.last }
        self.lastLook = self.elapsed
        if self.isHigh {
            self.last = .rollback
        } else if self.elapsed >= self.lifetime - 1e-6 {
            self.last = .advance
        }
        return self.last
    }

    private var isHigh: Bool {
        let (canary, stable) = (self.canary.rates, self.stable.rates)
        guard !canary.isEmpty, !stable.isEmpty, canary.sorted() != stable.sorted(),
            let shift = MannWhitney.shift(canary, from: stable, confidence: self.confidence)
        else { return false }
        return shift.lower > self.tolerance * abs(shift.estimate)
    }
}

/// The rates of many intervals, kept as the counts that they are of: exact and short when written.
private struct RateSamples: Hashable, Codable, Sendable {
    /// Bad ones and all of each interval, one after the other.
    private var counts: [Int64] = []

    /// Takes an interval that had requests.
    mutating func append(_ counts: EventCounts?) {
        guard let counts, counts.total > 0 else { return }
        self.counts += [counts.bad, counts.total]
    }

    var rates: [Double] {
        stride(from: 0, to: self.counts.count, by: 2).map { Double(self.counts[$0]) / Double(self.counts[$0 + 1]) }
    }

    init() {}

    init(from decoder: any Decoder) throws {
        self.counts = try decoder.singleValueContainer().decode([Int64].self)
        guard self.counts.count.isMultiple(of: 2) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "a count is missing")
            )
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.counts)
    }
}

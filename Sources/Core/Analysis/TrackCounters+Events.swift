import Deployments

extension TrackCounters {
    /// What a gate of this kind counts.
    ///
    /// - Parameters:
    ///   - kind: The gate's.
    ///   - bound: For latency gates, the time in milliseconds above which an answer is bad.
    /// - Returns: Nothing for gates that count no requests, or when the histogram has no bound that small.
    func events(of kind: Gate.Kind, bound: Double?) -> EventCounts? {
        switch kind {
        case .errors:
            EventCounts(bad: self.serverErrors, total: self.requests)
        case .clientErrors:
            EventCounts(bad: self.clientErrors, total: self.requests)
        case .latency:
            bound.flatMap { self.slower(than: $0) }
        case .slowdown, .threshold, .ratio, .mean, .drift, .webhook, .job, .answers, .preset:
            nil
        }
    }

    /// What an objective counts.
    ///
    /// - Returns: Nothing when the histogram has no bound as small as the objective's.
    func events(of indicator: Indicator) -> EventCounts? {
        switch indicator {
        case .availability: EventCounts(bad: self.serverErrors, total: self.requests)
        case .latency(let bound): self.slower(than: bound.inSeconds * 1000)
        }
    }

    private func slower(than bound: Double) -> EventCounts? {
        self.latency.slower(than: bound).map { EventCounts(bad: $0, total: self.latency.total) }
    }

    /// Whether these counters can have grown from the earlier ones; otherwise something was reset between.
    func canFollow(_ earlier: TrackCounters) -> Bool {
        self.requests >= earlier.requests && self.serverErrors >= earlier.serverErrors
            && self.clientErrors >= earlier.clientErrors && self.latency.total >= earlier.latency.total
            && (earlier.latency.bounds.isEmpty || self.latency.bounds == earlier.latency.bounds)
            && zip(self.latency.counts, earlier.latency.counts).allSatisfy { $0 >= $1 }
    }
}

package import Deployments

/// One answer for a gate whose evidence somebody else has: a metric provider, or who compares answers.
package struct Measurement: Hashable, Codable, Sendable {
    /// The gate's name.
    package var gate: String
    /// When the query was asked.
    package var time: Timestamp
    package var answer: Answer
    /// Of the sign-off that asked; nothing when the step or the bake did.
    package var asker: SignOff.Asker?

    package init(gate: String, time: Timestamp, answer: Answer, asker: SignOff.Asker? = nil) {
        self.gate = gate
        self.time = time
        self.answer = answer
        self.asker = asker
    }

    /// What the provider said. No answer is never a zero.
    package enum Answer: Hashable, Codable, Sendable {
        case value(Double)
        /// What both revisions have counted so far.
        case counted(canary: TrackReading, stable: TrackReading)
        /// What somebody says who decides.
        case verdict(GateVerdict)
        /// How many answers of the canary's differ from stable's, so far.
        case compared(AnswerCounts)
        /// What was told of requests that both revisions have answered, so far.
        case labelled(LabelCounts)
        /// The queries worked, and one had no number to count with.
        case missing(String)
        /// The query worked and matched nothing.
        case noData
        /// The query worked and its value is not a number.
        case notANumber
        /// The query is wrong; its author must mend it.
        case refused(String)
        /// The provider did not answer in time, or not sensibly.
        case unavailable(String)
    }
}

/// What a metric provider has counted for one revision. It only grows, but for resets.
package struct TrackReading: Hashable, Codable, Sendable {
    /// When each of the answers was true, by the provider.
    package var times: [Timestamp]
    /// In the order of the gate's queries, or of the bounds.
    package var values: [Double]
    /// Of a histogram: upper bounds, ascending, with as many values at most so large. The last has no bound.
    package var bounds: [Double]?
    /// The bounds are only those between which something was counted, as those of native histograms; nothing when the
    /// bounds are all there are.
    package var isSparse: Bool?

    package init(times: [Timestamp], values: [Double], bounds: [Double]? = nil, isSparse: Bool? = nil) {
        self.times = times
        self.values = values
        self.bounds = bounds
        self.isSparse = isSparse
    }
}

/// Somebody's word on a step.
package struct GateVerdict: Hashable, Codable, Sendable {
    package var outcome: Outcome
    /// For people.
    package var message: String

    package enum Outcome: String, Hashable, Codable, Sendable, CaseIterable {
        case pass
        case fail
        /// Not yet: ask again.
        case wait
    }

    package init(_ outcome: Outcome, _ message: String = "") {
        self.outcome = outcome
        self.message = message
    }
}

package import Deployments

/// One answer of a metric provider for a threshold gate.
package struct Measurement: Hashable, Codable, Sendable {
    /// The gate's name.
    package var gate: String
    /// When the query was asked.
    package var time: Timestamp
    package var answer: Answer

    package init(gate: String, time: Timestamp, answer: Answer) {
        self.gate = gate
        self.time = time
        self.answer = answer
    }

    /// What the provider said. No answer is never a zero.
    package enum Answer: Hashable, Codable, Sendable {
        case value(Double)
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

package import Deployments

/// A service that answers metric queries.
package protocol MetricProvider: Sendable {
    /// The name by which manifests refer to it.
    var name: String { get }

    /// The value of a query that yields one number, at that time.
    func reading(of query: String, at time: Timestamp) async -> MetricReading

    /// The buckets of a query that yields one cumulative histogram, classic or native, at that time.
    func histogram(of query: String, at time: Timestamp) async -> HistogramAnswer
}

/// What a provider said of a histogram.
package enum HistogramAnswer: Hashable, Sendable {
    /// Counts of what is at most as large as each bound, in ascending order, and last of all; when they were true.
    case buckets(bounds: [Double], counts: [Double], of: Timestamp)
    /// The same of a native histogram: bounds are the edges of those buckets that hold something, so what lies between
    /// two bounds of one count is empty. They differ from one histogram to the next.
    case sparse(bounds: [Double], counts: [Double], of: Timestamp)
    /// Why there are none; never a value.
    case none(MetricAnswer)
}

/// What a provider said, and when it was true: the provider's own word, where it gives one.
package struct MetricReading: Hashable, Sendable {
    package var answer: MetricAnswer
    package var time: Timestamp

    package init(_ answer: MetricAnswer, of time: Timestamp) {
        self.answer = answer
        self.time = time
    }
}

/// What a provider said. No answer is never a zero.
package enum MetricAnswer: Hashable, Codable, Sendable {
    case value(Double)
    /// The query worked and matched nothing.
    case noData
    /// The query worked and its value is not a number.
    case notANumber
    /// The query is wrong: an operator or author must mend it (a syntax error, several series).
    case refused(String)
    /// The provider did not answer in time, or not sensibly.
    case unavailable(String)
}

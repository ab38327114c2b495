package import Deployments

/// A service that answers metric queries.
package protocol MetricProvider: Sendable {
    /// The name by which manifests refer to it.
    var name: String { get }

    /// The value of a query that yields one number now.
    func value(of query: String, at time: Timestamp) async -> MetricAnswer
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

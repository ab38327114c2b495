package import Deployments

/// What a provider said about a stretch of time.
package enum RangeAnswer: Hashable, Sendable {
    /// In order of time; where there was no value, there is no point.
    case points([RangePoint])
    /// The query worked and matched nothing.
    case noData
    /// The query is wrong: an operator or author must mend it.
    case refused(String)
    /// The provider did not answer in time, or not sensibly.
    case unavailable(String)
}

package struct RangePoint: Hashable, Sendable {
    package var time: Timestamp
    /// May be infinite. Nothing when it was not a number.
    package var value: Double?

    package init(time: Timestamp, value: Double?) {
        self.time = time
        self.value = value
    }
}

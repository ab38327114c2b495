/// How many of a number of requests were bad, by one gate's definition of bad.
package struct EventCounts: Hashable, Codable, Sendable {
    package var bad: Int64
    package var total: Int64

    package init(bad: Int64 = 0, total: Int64 = 0) {
        self.bad = bad
        self.total = total
    }

    /// Bad requests per request, 0 to 1; nothing without requests.
    package var rate: Double? {
        self.total > 0 ? Double(self.bad) / Double(self.total) : nil
    }

    package static func + (left: EventCounts, right: EventCounts) -> EventCounts {
        EventCounts(bad: left.bad + right.bad, total: left.total + right.total)
    }

    package static func += (left: inout EventCounts, right: EventCounts) {
        left = left + right
    }

    /// What was counted between two readings of growing counters.
    ///
    /// Counters of one snapshot may be read an instant apart, so that a bad request is seen before it is counted as a
    /// request. It is then counted as one here too: more requests are less evidence, so the tests stay valid.
    ///
    /// - Returns: Nothing when a counter fell: it was reset, and the two readings say nothing about the time between.
    package func since(_ earlier: EventCounts) -> EventCounts? {
        guard self.bad >= earlier.bad, self.total >= earlier.total else { return nil }
        let bad = self.bad - earlier.bad
        return EventCounts(bad: bad, total: max(bad, self.total - earlier.total))
    }
}

import Deployments
import Reconciliation

/// What the applications count of their own answers, and a metric provider's last scrapes of that.
struct Scrapes: Sendable {
    private var counters: [String: Counts] = [:]
    private var scraped: [String: Scrape] = [:]

    private struct Counts: Sendable {
        var wrong = 0
        var total = 0
    }

    private struct Scrape: Sendable {
        var counts: Counts
        var time: Timestamp
    }

    mutating func count(wrong: Int, of total: Int, for revision: Revision) {
        self.counters[revision.short, default: Counts()].wrong += wrong
        self.counters[revision.short, default: Counts()].total += total
    }

    /// Each revision is a target of its own, scraped in every second tick, some in the even and some in the odd ones.
    mutating func scrape(tick: Int, at time: Timestamp) {
        for (revision, counts) in self.counters
        where (tick + Int(revision.utf8.first ?? 0)).isMultiple(of: 2) {
            self.scraped[revision] = Scrape(counts: counts, time: time)
        }
    }

    /// What was scraped last.
    ///
    /// - Parameters:
    ///   - query: `wrong` or `total`, and the short name of a revision.
    ///   - time: Of the question.
    /// - Returns: Nothing for other queries.
    func reading(of query: String, at time: Timestamp) -> MetricReading? {
        let words = query.split(separator: " ")
        guard words.count == 2, ["wrong", "total"].contains(words[0]) else { return nil }
        guard let scrape = self.scraped[String(words[1])] else { return MetricReading(.noData, of: time) }
        let count = words[0] == "wrong" ? scrape.counts.wrong : scrape.counts.total
        return MetricReading(.value(Double(count)), of: scrape.time)
    }
}

extension Truth {
    /// An answer that the router takes for a good one may be wrong all the same.
    mutating func countWrong(of answers: Int, _ revision: Revision) {
        guard self.scenario.countsWrong, answers > 0 else { return }
        let wrong = self.providerDice.hits(of: answers, probability: self.behaviour(revision).wrong)
        self.scrapes.count(wrong: wrong, of: answers, for: revision)
    }
}

/// Scores of histogram bins by which slow and fast can be compared without a bound: the ridits of a frozen history.
///
/// A bin's score is the share of the history that was faster, ties by half. The mean score of a track is then
/// P(slower) + P(tie)/2 against that history, and the difference of two tracks' mean scores, tested by ``MeanProcess``,
/// is a sequential Mann-Whitney test: with a margin of 0.02, "the canary is slower than stable in more than 52 percent
/// of random pairs". Scores are fixed before the data are seen, so the guarantee of ``MeanProcess`` holds.
///
/// Source: Bross (1958); the test statistic is that of Mann & Whitney (1947).
package struct RankScores: Hashable, Codable, Sendable {
    /// One per bin, above 0 and below 1, ascending.
    package let scores: [Double]

    /// Half an observation is added to each bin, so that none has no weight.
    package init(history: BinCounts) {
        let smoothed = history.counts.map { Double($0) + 0.5 }
        let total = smoothed.reduce(0, +)
        var before = 0.0
        self.scores = smoothed.map { count in
            defer { before += count }
            return (before + count / 2) / total
        }
    }

    /// The moments of the scores of what one track counted in one poll.
    ///
    /// - Parameter increment: With the bins of the history.
    /// - Returns: What ``MeanProcess`` takes.
    package func moments(of increment: BinCounts) -> MeanCounts {
        precondition(increment.counts.count == self.scores.count, "histograms of different bins")
        var moments = MeanCounts()
        for (count, score) in zip(increment.counts, self.scores) where count > 0 {
            moments += MeanCounts(
                count: Double(count),
                sum: Double(count) * score,
                sumOfSquares: Double(count) * score * score
            )
        }
        return moments
    }
}

import Analysis
import Deployments
import Glibc

/// What judging costs.
enum Speed {
    private static let updates = 200_000

    /// - Returns: Microseconds of one update of one gate, both of its accounts.
    static func update() -> Double {
        var judge = SequentialJudge(atMost: .infinity)
        var chance = Chance(seed: 1)
        let polls = (0..<1000).map { _ in
            HoldPoll(
                seconds: 10,
                canary: Cell.counts(100, 0.001, &chance),
                stable: Cell.counts(1900, 0.001, &chance)
            )
        }
        let time = Self.seconds {
            for update in 0..<Self.updates { _ = judge.add(polls[update % polls.count]) }
        }
        return time / Double(Self.updates) * 1e6
    }

    /// - Returns: Percent of a core that 10,000 gates take which are fed and asked once a second, as in a rollout: from
    ///   the router's counters to their outcomes, intervals for people not included.
    static func gates() -> Double {
        let (stable, canary) = (Revision(digest: "aaaa"), Revision(digest: "bbbb"))
        let gates: [Gate] = [.errors, .clientErrors, .latency(below: .milliseconds(250))]
        var run = AnalysisRun(gates: gates, stable: stable, canary: canary, plannedSteps: 5)
        var time = Timestamp(milliseconds: 1_700_000_000_000)
        run.beginStep(gates: gates, nextWeight: TrafficWeight(percent: 25), at: time)
        var chance = Chance(seed: 2)
        let bounds: [Double] = [5, 10, 25, 50, 100, 250, 500, 1000]
        var tracks = [stable: TrackCounters(), canary: TrackCounters()]
        let rounds = 3000
        let samples = (0..<rounds).map { _ in
            time = time + .seconds(1)
            for (revision, requests) in [(stable, 190.0), (canary, 10)] {
                let (errors, other) = (Cell.counts(requests, 0.001, &chance), chance.poisson(requests * 0.001))
                tracks[revision]?.requests += errors.total
                tracks[revision]?.serverErrors += errors.bad
                tracks[revision]?.clientErrors += min(other, errors.total)
                let total = (tracks[revision]?.latency.total ?? 0) + errors.total
                let counts = bounds.indices.map { total * Int64($0 + 1) / Int64(bounds.count) }
                tracks[revision]?.latency = LatencyHistogram(bounds: bounds, counts: counts, total: total)
            }
            return Sample(time: time, tracks: tracks)
        }
        var decided = 0
        let seconds = Self.seconds {
            for sample in samples {
                run.add(sample)
                decided += run.outcomes(at: sample.time).count
            }
        }
        precondition(decided == rounds * gates.count, "every gate has an outcome")
        return seconds / Double(rounds * gates.count) * 10_000 * 100
    }

    /// Processor time: others on the machine do not count.
    private static func seconds(_ body: () -> Void) -> Double {
        let begin = Self.processorTime
        body()
        return Self.processorTime - begin
    }

    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

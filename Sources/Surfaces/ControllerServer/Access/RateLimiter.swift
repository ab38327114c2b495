import Foundation
import Synchronization

/// Lets through so many a second for each key, and a burst; whoever asks for more waits.
final class RateLimiter: Sendable {
    private let rate: Double
    private let burst: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    /// More keys than this are not told apart: those that were quiet longest are forgotten.
    private static let limit = 4096

    private struct Bucket {
        var level: Double
        var time: ContinuousClock.Instant
    }

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = burst
    }

    /// - Returns: Nothing when there is a place, and how many seconds to wait where there is none.
    func take(_ key: String, at now: ContinuousClock.Instant) -> Int? {
        self.buckets.withLock { buckets in
            if buckets.count >= Self.limit, buckets[key] == nil { self.forget(&buckets, at: now) }
            var bucket = buckets[key] ?? Bucket(level: self.burst, time: now)
            bucket.level = self.level(of: bucket, at: now)
            bucket.time = now
            defer { buckets[key] = bucket }
            guard bucket.level >= 1 else { return max(1, Int(((1 - bucket.level) / self.rate).rounded(.up))) }
            bucket.level -= 1
            return nil
        }
    }

    private func level(of bucket: Bucket, at now: ContinuousClock.Instant) -> Double {
        min(self.burst, bucket.level + (now - bucket.time) / .seconds(1) * self.rate)
    }

    /// Those that are full again are as good as unknown; when none is, the quiet half goes.
    private func forget(_ buckets: inout [String: Bucket], at now: ContinuousClock.Instant) {
        buckets = buckets.filter { self.level(of: $0.value, at: now) < self.burst }
        guard buckets.count >= Self.limit else { return }
        let times = buckets.values.map(\.time).sorted()
        let middle = times[times.count / 2]
        buckets = buckets.filter { $0.value.time > middle }
    }
}

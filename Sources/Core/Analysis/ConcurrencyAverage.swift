package import Deployments

/// The requests in flight of one deployment, smoothed: at one instant they are too many or too few by chance.
///
/// An exponential average by elapsed time, so that it does not matter how often one looks. It says nothing before it
/// has seen a time constant, nor when the last look is too old, and begins anew after such a gap.
package struct ConcurrencyAverage: Hashable, Sendable {
    private var average: Double
    private var looks: Double
    private var began: Timestamp
    private var last: Timestamp

    /// Long enough to even out single requests, short against the time that a model takes to load.
    package static let timeConstant: Duration = .seconds(10)

    /// The first look.
    package init(_ requests: Int, at time: Timestamp) {
        self.average = Double(requests)
        self.looks = 1
        self.began = time
        self.last = time
    }

    /// Takes one more look; the same one twice counts once.
    ///
    /// - Parameters:
    ///   - requests: In flight at that time.
    ///   - time: Of the look.
    ///   - gap: After one that is longer, what was seen before says nothing of now.
    package mutating func add(_ requests: Int, at time: Timestamp, gap: Duration) {
        guard time != self.last else { return }
        guard time > self.last, time - self.last <= gap else {
            self = ConcurrencyAverage(requests, at: time)
            return
        }
        let elapsed = (time - self.last).inSeconds
        self.looks += 1
        // The first looks count alike: the very first is worth no more than the others.
        let weight = max(elapsed / (elapsed + Self.timeConstant.inSeconds), 1 / self.looks)
        self.average += weight * (Double(requests) - self.average)
        self.last = time
    }

    /// Since when it has said something, without a gap.
    package var knownSince: Timestamp { self.began + Self.timeConstant }

    /// In tenths of a request, as it is shown and decided by; nothing when it is not known.
    package func value(at now: Timestamp, within limit: Duration) -> Double? {
        guard self.last - self.began >= Self.timeConstant, now - self.last <= limit else { return nil }
        return (self.average * 10).rounded() / 10
    }
}

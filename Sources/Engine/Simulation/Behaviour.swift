package import Deployments

/// How a revision really is, which the controller must find out.
package struct Behaviour: Hashable, Sendable {
    package var errors = 0.002
    package var clientErrors = 0.001
    /// How many requests fail together when one does.
    package var burst = 1
    /// From this percentage of the traffic on it fails more: a queue that is too short, a machine that is too small.
    package var overload: Overload?
    /// Share of answers over the latency bound.
    package var slow = 0.02
    /// Share of the answers within the latency bound that take a bucket longer than usual; seen only in worlds that
    /// tell them apart, ``Scenario/showsAnswerTimes``.
    package var sluggish = 0.0
    /// Share of its good answers, by their status, that are wrong; seen only by a metric provider, and in worlds that
    /// have one which counts them, ``Scenario/countsWrong``.
    package var wrong = 0.02
    /// Ticks until a replica is ready; nothing if it never is.
    package var startTicks: Int? = 2
    /// Chance per tick that a ready replica crashes.
    package var crashes = 0.0
    /// Chance per tick that a ready replica fails its probe, and is ready again a tick later.
    package var flaps = 0.0
    package var artifact: ArtifactState = .ready(path: "/artifact", digest: "sha256:0")
    /// Ticks from the first fetch until the artifact is as above.
    package var fetchTicks = 0
    package var signature = "a"
    package var failsGolden = false
    /// What the metric provider answers for it; gates of hostile worlds allow 100.
    package var load = 50.0
    /// Where a board that is asked says no.
    package var turnedDown: SignOff.Place?

    package struct Overload: Hashable, Sendable {
        package var percent: Int
        package var errors: Double

        package init(from percent: Int, errors: Double) {
            self.percent = percent
            self.errors = errors
        }
    }

    package init() {}

    /// Share of its answers that are errors at this weight.
    func errors(at weight: TrafficWeight) -> Double {
        guard let overload = self.overload, weight.percent >= overload.percent else { return self.errors }
        return max(self.errors, overload.errors)
    }

    package init(errors: Double = 0.002, clientErrors: Double = 0.001, slow: Double = 0.02) {
        self.errors = errors
        self.clientErrors = clientErrors
        self.slow = slow
    }

    package var isGood: Bool {
        self.errors <= 0.002 && self.clientErrors <= 0.001 && self.slow <= 0.02 && self.sluggish == 0
            && self.wrong <= 0.02 && self.turnedDown == nil
            && self.startTicks ?? .max <= 30 && self.overload == nil && self.crashes == 0 && self.flaps == 0
            && self.signature == "a"
            && !self.failsGolden && self.load <= 100 && self.artifact == Behaviour().artifact
    }

    /// So bad that with enough traffic nobody could doubt it.
    package var isPlainlyBad: Bool {
        self.errors >= 0.1 || self.clientErrors >= 0.1 || self.slow >= 0.2 || self.sluggish >= 0.5
            || self.wrong >= 0.3 || self.cannotServe
    }

    /// So bad that it is seen before its first request.
    var cannotServe: Bool {
        self.startTicks ?? .max > 1000 || self.signature != "a" || self.failsGolden
            || self.artifact != Behaviour().artifact
    }
}

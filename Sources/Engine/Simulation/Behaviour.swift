package import Deployments

/// How a revision really is, which the controller must find out.
package struct Behaviour: Hashable, Sendable {
    package var errors = 0.002
    package var clientErrors = 0.001
    /// Share of answers over the latency bound.
    package var slow = 0.02
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

    package init() {}

    package init(errors: Double = 0.002, clientErrors: Double = 0.001, slow: Double = 0.02) {
        self.errors = errors
        self.clientErrors = clientErrors
        self.slow = slow
    }

    package var isGood: Bool {
        self.errors <= 0.002 && self.clientErrors <= 0.001 && self.slow <= 0.02 && self.startTicks ?? .max <= 30
            && self.crashes == 0 && self.flaps == 0 && self.signature == "a" && !self.failsGolden && self.load <= 100
            && self.artifact == Behaviour().artifact
    }

    /// So bad that with enough traffic nobody could doubt it.
    package var isPlainlyBad: Bool {
        self.errors >= 0.1 || self.clientErrors >= 0.1 || self.slow >= 0.2 || self.startTicks ?? .max > 1000
            || self.signature != "a" || self.failsGolden || self.artifact != Behaviour().artifact
    }
}

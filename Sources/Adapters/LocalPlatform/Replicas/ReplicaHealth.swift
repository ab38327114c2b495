import Deployments

/// Decides from probes whether a replica is ready, and when to give it up. It reads no clock.
struct ReplicaHealth: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Decision: Hashable, Sendable {
        case carryOn
        /// Often enough in a row: now the model's metadata and the golden predictions.
        case examine
        case becameReady
        case becameUnready(String)
        /// To be ended and started again.
        case giveUp(String)
        /// To be ended for good.
        case fail(String)
    }

    private let runtime: ServingRuntime
    private(set) var isReady: Bool
    private(set) var wasReady: Bool
    private(set) var readySince: Instant?
    private var successes = 0
    private var failures = 0
    private var refusals = 0
    /// When a replica that is not ready is given up.
    private(set) var deadline: Instant

    /// `wasReady` says whether this run of the process was ready once, `isReady` whether it is now, as far as is known;
    /// `age` is how long the process has been running.
    init(runtime: ServingRuntime, isReady: Bool, wasReady: Bool, age: Duration, at now: Instant) {
        self.runtime = runtime
        self.isReady = isReady
        self.wasReady = wasReady
        self.readySince = isReady ? now : nil
        self.deadline = now + (wasReady ? Self.patience(runtime) : max(runtime.startupTimeout - age, .zero))
    }

    /// How long a replica that was ready may not be before it is started again: far longer than the router needs to
    /// notice, and not longer than a start may take.
    static func patience(_ runtime: ServingRuntime) -> Duration {
        let probe = runtime.readiness
        return min(
            runtime.startupTimeout,
            max(.seconds(30), (probe.period + probe.timeout) * probe.failureThreshold * 10)
        )
    }

    /// Takes the answer of the readiness path.
    mutating func probed(_ answer: ReplicaProbe.Answer, at now: Instant) -> Decision {
        switch answer {
        case .yes:
            self.failures = 0
            self.successes += 1
            return !self.isReady && self.successes >= self.runtime.readiness.successThreshold ? .examine : .carryOn
        case .notYet(let reason), .refused(let reason), .wrong(let reason):
            self.successes = 0
            self.failures += 1
            guard self.isReady else { return self.late(reason, at: now) }
            guard self.failures >= self.runtime.readiness.failureThreshold else { return .carryOn }
            self.isReady = false
            self.readySince = nil
            self.deadline = now + Self.patience(self.runtime)
            return .becameUnready("\(self.failures) failed probes in a row: \(reason)")
        }
    }

    /// Takes the result of the metadata and the golden predictions.
    mutating func examined(_ answer: ReplicaProbe.Answer, at now: Instant) -> Decision {
        switch answer {
        case .yes:
            self.refusals = 0
            self.isReady = true
            self.wasReady = true
            self.readySince = now
            return .becameReady
        case .notYet(let reason):
            return self.late(reason, at: now)
        case .refused(let reason):
            self.refusals += 1
            return self.refusals < Self.refusalLimit ? self.late(reason, at: now) : self.rejected(reason)
        case .wrong(let reason):
            return self.rejected(reason)
        }
    }

    /// Refusals that a loading server may answer before they count as its answer.
    private static let refusalLimit = 3

    private func rejected(_ reason: String) -> Decision {
        // What this process did right before, a new one does right again.
        self.wasReady ? .giveUp(reason) : .fail(reason)
    }

    private func late(_ reason: String, at now: Instant) -> Decision {
        guard now >= self.deadline else { return .carryOn }
        guard self.wasReady else {
            return .giveUp("not ready within \(self.runtime.startupTimeout.short): \(reason)")
        }
        return .giveUp("not ready again within \(Self.patience(self.runtime).short): \(reason)")
    }
}

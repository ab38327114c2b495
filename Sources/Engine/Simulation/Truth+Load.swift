import Decisions
import Deployments
import Rollouts

/// How busy the replicas are, where a scenario says how long a request takes, and what the controller saw of that.
struct LoadBook: Sendable {
    /// By port, in this tick.
    private(set) var inFlight: [Int: Int] = [:]
    /// What each deployment's users want answered at once, tick by tick; whether or not somebody answers.
    private(set) var demands: [Demand] = []
    /// When the present controller saw the router, by the time of the look.
    private var sights: [Timestamp] = []
    /// When a rollout was last seen in flight or being taken back.
    fileprivate var lastRollouts: [DeploymentID: Timestamp] = [:]

    struct Demand: Sendable {
        var time: Timestamp
        var requests: Double
    }

    mutating func begin(_ demand: Double, at time: Timestamp) {
        self.inFlight = [:]
        self.demands.append(Demand(time: time, requests: demand))
    }

    mutating func add(_ requests: Int, to port: Int) { self.inFlight[port, default: 0] += requests }

    mutating func see(_ time: Timestamp) { self.sights.append(time) }

    mutating func forget() { self.sights = [] }

    /// Whether there was no moment since `start` in which the last look was too old.
    func isSeen(since start: Timestamp, until now: Timestamp) -> Bool {
        var last = Timestamp(milliseconds: 0)
        for sight in self.sights + [now] {
            if sight - last > Rollout.freshness, sight > start { return false }
            last = sight
        }
        return true
    }

    /// The least demand of every half minute that ended in the given time, and of these the most: long enough for
    /// whoever looks to have taken notice.
    func lasting(from start: Timestamp, to end: Timestamp) -> Double {
        var most = 0.0
        for demand in self.demands where demand.time >= start && demand.time <= end {
            let span = self.demands.filter { $0.time <= demand.time && demand.time - $0.time <= .seconds(30) }
            guard let first = span.first, demand.time - first.time >= .seconds(28) else { continue }
            most = max(most, span.map(\.requests).min() ?? 0)
        }
        return most
    }

    /// The most in the given time.
    func peak(since start: Timestamp) -> Double {
        self.demands.filter { $0.time >= start }.map(\.requests).max() ?? 0
    }

    /// Since when the demand is what it is.
    var steadySince: Timestamp? {
        guard let last = self.demands.last else { return nil }
        return self.demands.last { $0.requests != last.requests }?.time ?? self.demands.first?.time
    }
}

extension Truth {
    /// In flight at once, for each deployment.
    var demand: Double {
        self.isGoingOn(.silence) ? 0 : Double(self.traffic) * self.scenario.serviceTime.inSeconds
    }

    /// The lane's part of a tick's requests, spread over what can answer.
    mutating func occupy(_ lane: Wires.Lane, with requests: Int) {
        let exact = Double(requests) / self.scenario.tick.inSeconds * self.scenario.serviceTime.inSeconds
        let whole = Int(exact)
        let count = whole + (self.dice.chance(exact - Double(whole)) ? 1 : 0)
        let ports = lane.ports.filter(self.machines.isReady)
        for (index, port) in ports.enumerated() {
            self.load.add(count / ports.count + (index < count % ports.count ? 1 : 0), to: port)
        }
    }
}

// MARK: - Checks

/// The number of replicas of autoscaled deployments, by the demand that there really was.
extension Truth {
    mutating func checkScaling(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        // What could not be journaled was no rollout.
        if !before.isScalable { self.load.lastRollouts[after.id] = decision.time }
        for spec in [after.stable, after.canary].compactMap(\.self) {
            guard let bounds = spec.autoscaling else { continue }
            if spec.replicas < bounds.minReplicas || spec.replicas > bounds.maxReplicas {
                self.checker.report("scaling: out of bounds", "\(after.id) has \(spec.replicas)")
            }
        }
        // A manifest may change the bounds and with them the number.
        if case .spec(let spec) = decision.situation.desired, spec != before.desired { return }
        if after.isInFlight, let canary = after.canary, let stable = after.stable, let bounds = canary.autoscaling,
            canary.replicas != bounds.clamp(stable.replicas)
        {
            self.checker.report("scaling: a canary of another size", "\(after.id) has \(canary.replicas)")
        }
        guard let stable = after.stable, let bounds = stable.autoscaling, let was = before.stable?.replicas,
            was != stable.replicas
        else { return }
        if !after.isScalable {
            self.checker.report("scaling: in a rollout", "\(after.id) in phase \(after.phase)")
        } else if !self.hasClockStepped {
            let detail = "\(after.id) from \(was) to \(stable.replicas)"
            if stable.replicas < was { self.checkFewer(stable.replicas, bounds, decision, detail) }
            if stable.replicas > was { self.checkMore(stable.replicas, bounds, decision, detail) }
        }
    }

    private mutating func checkFewer(
        _ count: Int,
        _ bounds: Autoscaling,
        _ decision: Decision,
        _ detail: String
    ) {
        let start = decision.time + bounds.scaleDownAfter * -1
        if !self.load.isSeen(since: start, until: decision.time) {
            self.checker.report("scaling: fewer, although the load was out of sight", detail)
        }
        if let rollout = self.load.lastRollouts[decision.after.id], rollout > start {
            self.checker.report("scaling: fewer too soon after a rollout", detail)
        }
        // Looks may arrive late.
        let demand = self.load.lasting(from: start, to: decision.time + .seconds(-14))
        if count < bounds.clamp(bounds.need(for: demand * 0.8 - 0.3)) {
            self.checker.report("scaling: fewer, although more were needed", "\(detail), for \(demand)")
        }
    }

    private mutating func checkMore(_ count: Int, _ bounds: Autoscaling, _ decision: Decision, _ detail: String) {
        let demand = self.load.peak(since: decision.time + .seconds(-120))
        if count > bounds.clamp(bounds.need(for: demand * 1.1 + 1)) {
            self.checker.report("scaling: more than needed", "\(detail), for \(demand)")
        }
    }

    /// With a steady demand, the number is in the end what that needs.
    mutating func checkScale(_ rollout: Rollout) {
        guard rollout.isScalable, let stable = rollout.stable, let bounds = stable.autoscaling,
            let steady = self.load.steadySince, rollout.holds.isEmpty,
            // While what serves crashes again and again, nobody knows its load.
            self.isUp(stable.revision)
        else { return }
        let patience = bounds.scaleDownAfter * 2 + .seconds(60)
        let rollout = (self.load.lastRollouts[rollout.id] ?? steady, rollout.id)
        guard self.now - max(steady, rollout.0) > patience, self.machines.isReady(stable.revision, of: rollout.1)
        else { return }
        let least = bounds.clamp(bounds.need(for: self.demand * 0.8 - 0.3))
        let most = bounds.clamp(bounds.need(for: self.demand * 1.2 + 0.5))
        if stable.replicas < least || stable.replicas > most {
            let need = "\(rollout.1) has \(stable.replicas) for \(self.demand)"
            self.checker.report("liveness: not scaled to what is needed", need)
        }
    }
}

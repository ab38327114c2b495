package import Deployments
import RealModule

/// Judges one canary against its stable for one rollout.
///
/// A value, journaled with the rollout: evidence survives a restart. One error budget α covers all gates that compare
/// counters, all steps and all looks: a canary that is not worse than it may be is failed with probability at most α.
/// The evidence of the gates is merged as a weighted mean, which needs no assumption on how they depend on each other.
package struct AnalysisRun: Hashable, Codable, Sendable {
    package let stable: Revision
    package let canary: Revision
    package let parameters: AnalysisParameters
    /// φ: how many requests may fail by one cause, where a gate has none of its own; see ``BurstFactor``.
    package let burst: Double
    /// The time of the newest sample; nothing until there is one.
    package private(set) var lastSample: Timestamp?
    /// Samples that gave no increment because a counter had been reset.
    package private(set) var droppedSamples = 0

    private let plannedSteps: Int
    var comparisons: [GateComparison] = []
    var provided: [ProviderComparison]?
    var verdicts: [VerdictProgress]?
    var presets: [PresetProgress]?
    var thresholds: [ThresholdProgress] = []
    var objectives: [WatchedObjective] = []
    var step: CurrentStep?
    private var base: Base?

    struct CurrentStep: Hashable, Codable, Sendable {
        var gates: [Gate]
        var since: Timestamp
        var nextWeight: TrafficWeight
    }

    struct WatchedObjective: Hashable, Codable, Sendable {
        var objective: Objective
        var monitor: AbsoluteMonitor
        /// Of this step.
        var canary = EventCounts()
        var stable = EventCounts()
    }

    /// The counters that the next increment is measured from.
    private struct Base: Hashable, Codable, Sendable {
        var time: Timestamp
        var canary: TrackCounters
        var stable: TrackCounters
    }

    /// - Parameters:
    ///   - gates: Every gate of every step; names that repeat count once.
    ///   - stable: The revision to compare with.
    ///   - canary: The revision to judge.
    ///   - plannedSteps: How many steps will change the weight.
    ///   - objectives: Availability objectives are watched on the canary alone; those of latency give bounds to gates.
    ///   - history: Stable's answers before the rollout, for latency gates that name no bound.
    ///   - burst: φ of the errors in stable's history, 1 if there is none. Of gates whose own is not known, too.
    ///   - bursts: φ of each kind of bad answers, where it is known.
    ///   - parameters: The constants of the tests.
    package init(
        gates: [Gate],
        stable: Revision,
        canary: Revision,
        plannedSteps: Int,
        objectives: [Objective] = [],
        history: LatencyHistogram = LatencyHistogram(),
        burst: Double = 1,
        bursts: BurstFactors? = nil,
        parameters: AnalysisParameters = .default
    ) {
        self.stable = stable
        self.canary = canary
        self.plannedSteps = plannedSteps
        self.parameters = parameters
        self.burst = max(1, burst)
        for gate in gates {
            self.enroll(gate) { latencyBound(for: gate, objectives: objectives, history: history) }
        }
        self.rank(among: history)
        for index in self.comparisons.indices {
            let (kind, bound) = (self.comparisons[index].gate.kind, self.comparisons[index].bound)
            let factor = bursts?.factor(of: kind, bound: bound, bounds: history.bounds)
            self.comparisons[index].burst = factor.map { max(1, $0) }
        }
        let count = Double(self.comparisons.count + self.providerComparisons.count)
        for index in self.comparisons.indices { self.comparisons[index].weight = 1 / count }
        for index in self.providerComparisons.indices { self.providerComparisons[index].weight = 1 / count }
        self.objectives = objectives.filter { $0.indicator == .availability }.map {
            let test = AbsoluteTest(
                objectivePercent: $0.percent,
                burn: parameters.absoluteBurn,
                burst: self.burst
            )
            return WatchedObjective(objective: $0, monitor: AbsoluteMonitor(test: test))
        }
    }

    /// Makes a gate known. One that compares counters joins with a share of the evidence so far, taken from the others
    /// in equal parts: betting a part of one's capital otherwise keeps the guarantee. It gets a hundredth at the least,
    /// so that it can still decide; that costs the guarantee at most a hundredth of α.
    private mutating func enroll(_ gate: Gate, bound: () -> Double?) {
        switch gate.kind {
        case .threshold(let query):
            guard !self.thresholds.contains(where: { $0.gate.name == gate.name }) else { return }
            self.thresholds.append(ThresholdProgress(gate: gate, query: query))
        case .errors, .clientErrors, .latency, .slowdown:
            guard !self.comparisons.contains(where: { $0.gate.name == gate.name }) else { return }
            let weight = self.takeShare()
            self.comparisons.append(
                GateComparison(gate: gate, weight: weight, bound: bound(), plannedSteps: self.plannedSteps)
            )
        case .webhook, .job:
            guard self.verdictIndex(of: gate) == nil, let progress = VerdictProgress(gate: gate) else { return }
            self.verdicts = (self.verdicts ?? []) + [progress]
        case .preset(let rule):
            self.enroll(rule, as: gate)
        case .ratio, .mean, .drift, .answers:
            guard self.providerComparison(of: gate) == nil else { return }
            let weight = self.takeShare()
            if let comparison = ProviderComparison(gate: gate, weight: weight, plannedSteps: self.plannedSteps) {
                self.providerComparisons.append(comparison)
            }
        }
    }

    /// - Returns: The weight of one more gate, taken from the others.
    private mutating func takeShare() -> Double {
        let share = 1 / Double(self.comparisons.count + self.providerComparisons.count + 1)
        let capital = max(0.01, Double.exp(min(0, self.combinedLogE)))
        for index in self.comparisons.indices { self.comparisons[index].weight *= 1 - share }
        for index in self.providerComparisons.indices { self.providerComparisons[index].weight *= 1 - share }
        return share * capital
    }

    /// Begins a step once the router was seen serving its weight: only what is counted from then on is judged.
    ///
    /// - Parameters:
    ///   - gates: The gates of this step; others keep what they know and wait.
    ///   - nextWeight: The weight that passing leads to, 100 percent after the last step; it sets the safe margins.
    ///   - split: How the requests are split in this step, for gates that are made of labels.
    ///   - time: When the router was seen.
    package mutating func beginStep(
        gates: [Gate],
        nextWeight: TrafficWeight,
        split: TrafficSplit? = nil,
        at time: Timestamp
    ) {
        if let base = self.base, base.time < time { self.base = nil }
        for gate in gates { self.enroll(gate) { latencyBound(for: gate, objectives: [], history: LatencyHistogram()) } }
        self.step = CurrentStep(gates: gates, since: time, nextWeight: nextWeight)
        for index in self.comparisons.indices where self.isActive(self.comparisons[index].gate) {
            self.comparisons[index].beginStep(nextWeight: nextWeight, burst: self.burst, parameters: self.parameters)
        }
        for index in self.thresholds.indices where self.isActive(self.thresholds[index].gate) {
            self.thresholds[index].beginStep(at: time)
        }
        self.beginVerdicts(at: time)
        self.beginPresets()
        for index in self.providerComparisons.indices where self.isActive(self.providerComparisons[index].gate) {
            self.providerComparisons[index].beginStep(
                at: time,
                nextWeight: nextWeight,
                split: split,
                burst: self.burst,
                parameters: self.parameters
            )
        }
        for index in self.objectives.indices {
            self.objectives[index].monitor.begin(mass: 1 / Double(max(1, self.plannedSteps)))
            self.objectives[index].canary = EventCounts()
            self.objectives[index].stable = EventCounts()
        }
    }

    func isActive(_ gate: Gate) -> Bool {
        self.step?.gates.contains { $0.name == gate.name } ?? false
    }

    /// The next sample is only a new base: what lies between is not to be judged.
    package mutating func rebase() {
        self.base = nil
    }

    /// Feeds one snapshot of counters.
    ///
    /// A missed poll costs nothing, since the next increment covers it. There is no increment when a counter fell, a
    /// revision is missing, or the snapshot is not newer than the last.
    ///
    /// - Parameters:
    ///   - sample: Counters of both revisions.
    ///   - weightsChanged: The weights may have changed since the last snapshot, so this one is only a new base.
    package mutating func add(_ sample: Sample, weightsChanged: Bool = false) {
        if weightsChanged { self.rebaseProviders(at: sample.time) }
        if let last = self.lastSample, sample.time < last || (sample.time == last && self.base != nil) { return }
        self.lastSample = sample.time
        let isOfThisStep = self.step.map { sample.time >= $0.since } ?? true
        guard let canary = sample.tracks[self.canary], let stable = sample.tracks[self.stable], isOfThisStep else {
            self.base = nil
            return
        }
        let base = self.base
        self.base = Base(time: sample.time, canary: canary, stable: stable)
        self.findMissingBounds(in: stable)
        // Of what comes after, as nobody's rank may depend on what is ranked.
        defer { self.rank(among: stable.latency) }
        guard let base, !weightsChanged, self.step != nil else { return }
        guard canary.canFollow(base.canary), stable.canFollow(base.stable) else {
            self.droppedSamples += 1
            return
        }
        let seconds = (sample.time - base.time).inSeconds
        self.judge(canary, stable, since: base, seconds: seconds)
        self.judgePresets(
            canary: TrackChange(from: base.canary, to: canary),
            stable: TrackChange(from: base.stable, to: stable),
            seconds: seconds
        )
        self.decide()
    }

    /// Latency gates without a bound take one from stable's answers so far: a stable that had no requests before the
    /// rollout gets some during it. The bound holds for what comes after.
    private mutating func findMissingBounds(in stable: TrackCounters) {
        // A hundred answers, so that 5 percent of them mean something.
        guard stable.latency.total >= 100 else { return }
        for index in self.comparisons.indices where self.comparisons[index].bound == nil {
            self.comparisons[index].bound = latencyBound(
                for: self.comparisons[index].gate,
                objectives: [],
                history: stable.latency
            )
        }
    }

    private mutating func judge(_ canary: TrackCounters, _ stable: TrackCounters, since base: Base, seconds: Double) {
        for index in self.comparisons.indices where self.isActive(self.comparisons[index].gate) {
            let isOfAnswerTimes = self.judgeAnswerTimes(
                index,
                canary: (canary.latency, base.canary.latency),
                stable: (stable.latency, base.stable.latency),
                seconds: seconds
            )
            if isOfAnswerTimes { continue }
            let (kind, bound) = (self.comparisons[index].gate.kind, self.comparisons[index].bound)
            let increment = { (now: TrackCounters, before: TrackCounters) -> EventCounts? in
                guard let now = now.events(of: kind, bound: bound) else { return nil }
                // A histogram that was empty before has no bounds to count from.
                return now.since(before.events(of: kind, bound: bound) ?? EventCounts())
            }
            guard let ofCanary = increment(canary, base.canary), let ofStable = increment(stable, base.stable) else {
                continue
            }
            self.comparisons[index].add(
                canary: ofCanary,
                stable: ofStable,
                seconds: seconds,
                burst: self.burst,
                parameters: self.parameters
            )
        }
        for index in self.objectives.indices {
            let indicator = self.objectives[index].objective.indicator
            guard let now = canary.events(of: indicator), let before = base.canary.events(of: indicator),
                let increment = now.since(before)
            else { continue }
            self.objectives[index].monitor.add(
                increment,
                seconds: seconds,
                limit: self.objectiveLimit,
                parameters: self.parameters
            )
            self.objectives[index].canary += increment
            if let now = stable.events(of: indicator), let before = base.stable.events(of: indicator) {
                self.objectives[index].stable += now.since(before) ?? EventCounts()
            }
        }
    }

    /// Fails the gate with the most evidence once all gates' together suffices, and every gate whose own does.
    mutating func decide() {
        self.decideProvidedAlone()
        guard self.combinedLogE >= self.parameters.breachLimit else { return }
        let active = self.comparisons.indices.filter { self.isActive(self.comparisons[$0].gate) }
        let others = self.providerComparisons.indices.filter {
            self.isActive(self.providerComparisons[$0].gate) && self.providerComparisons[$0].evidence.isMerged
        }
        let evidence =
            active.map { self.comparisons[$0].weightedLogE }
            + others.map { self.providerComparisons[$0].weightedLogE }
        let most = evidence.max() ?? 0
        let limit = min(most, self.parameters.breachLimit)
        for index in active where self.comparisons[index].weightedLogE >= limit {
            guard self.comparisons[index].breach.badPolls >= self.parameters.minimumBadPolls else { continue }
            self.comparisons[index].hasFailed = true
        }
        for index in others where self.providerComparisons[index].weightedLogE >= limit {
            guard self.providerComparisons[index].evidence.mayFail(parameters: self.parameters) else { continue }
            self.providerComparisons[index].hasFailed = true
        }
    }

    /// ln of the merged evidence of all gates that compare counters; decides at ``AnalysisParameters/breachLimit``.
    package var combinedLogE: Double {
        let merged = self.provided?.filter(\.evidence.isMerged) ?? []
        guard !self.comparisons.isEmpty || !merged.isEmpty else { return 0 }
        return Analysis.combinedLogE(
            self.comparisons.map(\.breach.logE) + merged.map(\.evidence.breachLogE),
            weights: self.comparisons.map(\.weight) + merged.map(\.weight)
        )
    }

    /// Feeds one answer of a provider. One asked before the step, or of a gate that is not in it, is ignored.
    package mutating func add(_ measurement: Measurement) {
        self.addProvided(measurement)
        self.addVerdict(measurement)
        for index in self.thresholds.indices where self.thresholds[index].gate.name == measurement.gate {
            guard self.isActive(self.thresholds[index].gate) else { continue }
            self.thresholds[index].add(measurement.answer, at: measurement.time)
        }
    }

    /// The gates to ask about now. One stays due until its answer is added: ask one at a time for each gate.
    package func dueQueries(at now: Timestamp) -> [Gate] {
        self.thresholds.filter { self.isActive($0.gate) && $0.isDue(at: now) }.map(\.gate)
            + self.providerComparisons.filter { self.isActive($0.gate) && $0.isDue(at: now) }.map(\.gate)
            + (self.verdicts ?? []).filter { self.isActive($0.gate) && $0.isDue(at: now) }.map(\.gate)
    }

    /// ln E at which an objective counts as broken: the error budget α, shared by the objectives.
    var objectiveLimit: Double {
        self.parameters.breachLimit + Double.log(Double(max(1, self.objectives.count)))
    }
}

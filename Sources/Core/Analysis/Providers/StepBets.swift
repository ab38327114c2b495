import RealModule

/// One process per step, each with a share of the capital that is set aside for it: what goes wrong late in a rollout
/// is bet on with money that the good time before has not lost. All go on to the rollout's end.
///
/// Guarantee: that of the processes, as the shares sum to at most 1 and are settled before a step's data are seen.
struct StepBets<Process: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    private var bets: [Bet] = []
    private var cash = 1.0
    private let plannedSteps: Int

    private struct Bet: Hashable, Codable, Sendable {
        var mass: Double
        var process: Process
    }

    /// More steps than this keep what they have bet; a manifest has at most as many.
    private static var limit: Int { 64 }

    init(plannedSteps: Int) {
        self.plannedSteps = max(1, plannedSteps)
    }

    /// Shares as in ``BreachProcess/beginStep(parameters:)``.
    mutating func beginStep(_ process: Process, parameters: AnalysisParameters) {
        guard self.bets.count < Self.limit else { return }
        let share = parameters.mass(ofStep: self.bets.count, of: self.plannedSteps, cash: self.cash)
        let mass = min(share, self.cash)
        self.cash -= mass
        self.bets.append(Bet(mass: mass, process: process))
    }

    mutating func add(_ add: (inout Process) -> Void) {
        for index in self.bets.indices { add(&self.bets[index].process) }
    }

    /// The process of the newest step.
    var newest: Process? { self.bets.last?.process }

    /// - Returns: ln E, in nats.
    func logE(_ logE: (Process) -> Double) -> Double {
        self.bets.reduce(self.cash > 0 ? Double.log(self.cash) : -.infinity) { sum, bet in
            bet.mass > 0 ? logAdd(sum, Double.log(bet.mass) + logE(bet.process)) : sum
        }
    }
}

package import ArgumentParser
import Deployments
import Foundation
import Simulation

package struct SimulateCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Show how a manifest's rollout would go in a world that you describe; no controller needed.",
        discussion: """
            Rolls the manifest's model out in place of a present one, with the same steps and gates, and prints what
            would happen and when. The rules are the daemon's; requests, errors and slow answers are drawn by chance
            from what you say, the same ones for the same seed. With --runs it says how often and how soon each end
            comes.

            EXAMPLES
              controller simulate deployments/file-type.yaml --rate 40 --canary-errors 5.1%
              controller simulate deployments/ --deployment search/file-type --canary-slow 3% --runs 100
              controller simulate deployments/file-type.yaml --metric prediction-drift=0.4 --output json
            """
    )

    @OptionGroup
    package var choice: ManifestChoice

    @OptionGroup(title: "The world")
    package var world: WorldOptions

    @Option(help: ArgumentHelp("Chance is drawn from it.", valueName: "number"))
    package var seed: UInt64 = 1

    @Option(help: ArgumentHelp("So many rollouts, with seeds in a row: 1 to 10000.", valueName: "number"))
    package var runs: Int = 1

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func validate() throws {
        guard (1...10_000).contains(self.runs) else { throw ValidationError("--runs must be from 1 to 10000.") }
        guard self.seed <= UInt64.max - UInt64(self.runs) else { throw ValidationError("--seed is too large.") }
    }

    package func run(on console: Console) async throws {
        let spec = try self.choice.spec(on: console, verb: "simulated")
        let assumptions = self.world.assumptions
        try Self.checkMetrics(assumptions, spec, on: console)
        let rehearsals = await self.rehearse(spec, assumptions)
        let report = SimulationReport(spec, assumptions, rehearsals)
        try self.output.print(report, on: console) { report.lines }
    }

    /// On every core; the order of the seeds stays.
    private func rehearse(
        _ spec: DeploymentSpec,
        _ assumptions: Rehearsal.Assumptions
    ) async -> [(seed: UInt64, Rehearsal)] {
        await withTaskGroup(of: (seed: UInt64, Rehearsal).self) { group in
            for seed in self.seed..<(self.seed + UInt64(self.runs)) {
                group.addTask { (seed, Rehearsal(of: spec, assumptions, seed: seed)) }
            }
            var rehearsals: [(seed: UInt64, Rehearsal)] = []
            for await rehearsal in group { rehearsals.append(rehearsal) }
            return rehearsals.sorted { $0.seed < $1.seed }
        }
    }

    /// Names gates that the assumptions leave out, and refuses those that there are none of.
    private static func checkMetrics(
        _ assumptions: Rehearsal.Assumptions,
        _ spec: DeploymentSpec,
        on console: Console
    ) throws {
        var remarks: [String: String] = [:]
        for gate in spec.rollout.gates + spec.rollout.steps.flatMap({ $0.gates ?? [] }) {
            remarks[gate.name] = Self.remark(on: gate)
        }
        if let unknown = assumptions.metrics.keys.sorted().first(where: { remarks[$0] == nil }) {
            let known = remarks.isEmpty ? "it has none" : "it has \(remarks.keys.sorted().joined(separator: ", "))"
            throw CommandFailure(
                code: .usage,
                message: "\(spec.id) has no gate \(unknown) that asks others; \(known)"
            )
        }
        for (gate, remark) in remarks.sorted(by: { $0.key < $1.key }) where assumptions.metrics[gate] == nil {
            console.tell(StyledText("gate \(gate): taken \(remark); say otherwise with --metric"))
        }
    }

    /// What is assumed of a gate that asks others; nothing for the rest.
    private static func remark(on gate: Gate) -> String? {
        switch gate.kind {
        case .errors, .clientErrors, .latency, .preset: nil
        case .threshold: "to be within its limits"
        case .ratio: "to count \(Int(Rehearsal.assumedShare * 100)) % bad ones for the canary, as for stable"
        case .mean: "to count a mean of \(Rehearsal.assumedMean) for the canary, as for stable"
        case .webhook, .job: "to be passed at once"
        case .drift: "to see the canary's answers distributed as stable's"
        case .answers: "to find equal answers"
        case .slowdown: "to see the canary answer as fast as stable"
        }
    }
}

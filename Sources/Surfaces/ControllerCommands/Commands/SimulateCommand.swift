package import ArgumentParser
import Deployments
import Foundation
import Manifests
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

    @Argument(help: ArgumentHelp("Manifests, or folders of them.", valueName: "path"), completion: .file())
    package var paths: [String]

    @Option(help: ArgumentHelp("Which one, when there are several.", valueName: "name"))
    package var deployment: DeploymentArgument?

    @OptionGroup(title: "The world")
    package var world: WorldOptions

    @Option(help: ArgumentHelp("Chance is drawn from it.", valueName: "number"))
    package var seed: UInt64 = 1

    @Option(help: ArgumentHelp("So many rollouts, with seeds in a row: 1 to 10000.", valueName: "number"))
    package var runs: Int = 1

    @Option(
        help: ArgumentHelp(
            "The ServingRuntimes that the controller ships with, as for validate.",
            valueName: "folder"
        ),
        completion: .directory
    )
    package var runtimes: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    package init() {}

    package func validate() throws {
        guard (1...10_000).contains(self.runs) else { throw ValidationError("--runs must be from 1 to 10000.") }
        guard self.seed <= UInt64.max - UInt64(self.runs) else { throw ValidationError("--seed is too large.") }
    }

    package func run(on console: Console) async throws {
        let spec = try self.spec(on: console)
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

    /// - Throws: A `CommandFailure` when the manifests have errors or do not say which deployment is meant.
    private func spec(on console: Console) throws -> DeploymentSpec {
        let library = try (self.runtimes ?? ShippedRuntimes.folder(environment: console.environment)).map {
            try ManifestFiles(paths: [$0])
        }
        let files = try ManifestFiles(paths: self.paths)
        let reader = ManifestReader(library: library?.files ?? [])
        // It is not merged yet: there is no commit to name.
        let origin = CommitReference(repository: "here", branch: "yours", commit: "unmerged")
        let state = reader.read(files.files, origin: origin)
        let report = ValidationReport(state, of: files, library: [])
        if report.errors > 0 {
            report.lines.forEach(console.tell)
            throw CommandFailure(code: .refused, message: "nothing is simulated before these are mended")
        }
        let names = state.deployments.map(\.id.description).joined(separator: ", ")
        if let id = self.deployment?.id {
            if let spec = state.deployments.first(where: { $0.id == id }) { return spec }
            throw CommandFailure(code: .usage, message: "there is no \(id) in these files; there is: \(names)")
        }
        guard state.deployments.count == 1, let spec = state.deployments.first else {
            throw CommandFailure(
                code: .usage,
                message: state.deployments.isEmpty
                    ? "there is no ModelDeployment in \(self.paths.joined(separator: ", "))"
                    : "these files hold several deployments: choose one with --deployment: \(names)"
            )
        }
        return spec
    }

    /// Names gates that the assumptions leave out, and refuses those that there are none of.
    private static func checkMetrics(
        _ assumptions: Rehearsal.Assumptions,
        _ spec: DeploymentSpec,
        on console: Console
    ) throws {
        let gates = spec.rollout.gates + spec.rollout.steps.flatMap { $0.gates ?? [] }
        let thresholds = Set(gates.filter { if case .threshold = $0.kind { true } else { false } }.map(\.name))
        if let unknown = assumptions.metrics.keys.sorted().first(where: { !thresholds.contains($0) }) {
            let known = thresholds.isEmpty ? "it has none" : "it has \(thresholds.sorted().joined(separator: ", "))"
            throw CommandFailure(code: .usage, message: "\(spec.id) has no threshold gate \(unknown); \(known)")
        }
        for gate in thresholds.subtracting(assumptions.metrics.keys).sorted() {
            console.tell(StyledText("gate \(gate): taken to be within its limits; say otherwise with --metric"))
        }
    }
}

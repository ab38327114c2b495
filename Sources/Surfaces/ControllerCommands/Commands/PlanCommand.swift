package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation

package struct PlanCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a manifest's rollout would take and what it would notice, before it is merged.",
        discussion: """
            For each step: how many requests the canary gets, how long a good one is expected to stay, and how soon one
            would be found that fails twice or five times as often as stable, or half of the time. Expectations at
            constant rates; `controller simulate` draws single rollouts.

            The traffic is what a running controller has counted of the deployment, if one answers and knows it, or what
            --rate and --stable-errors say.

            EXAMPLES
              controller plan deployments/file-type.yaml --rate 40
              controller plan deployments/ --deployment search/file-type --rate 200 --stable-errors 0.5%
              controller plan deployments/file-type.yaml --output json
            """
    )

    @OptionGroup
    package var choice: ManifestChoice

    @Option(help: ArgumentHelp("Requests per second. Default: what the controller counts.", valueName: "number"))
    package var rate: Double?

    @Option(help: ArgumentHelp("Stable's answers 5xx. Default: what the controller counts.", valueName: "percent"))
    package var stableErrors: ShareArgument?

    @Option(help: ArgumentHelp("Stable's answers 4xx.", valueName: "percent"))
    package var stableClientErrors = ShareArgument(share: 0)

    @Option(help: ArgumentHelp("Stable's answers slower than the manifest's bounds.", valueName: "percent"))
    package var stableSlow = ShareArgument(share: 0.01)

    @Option(help: ArgumentHelp("Requests with the headers of a match step.", valueName: "percent"))
    package var matching = ShareArgument(share: 0.05)

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        if let rate = self.rate {
            guard rate.isFinite, (0...1_000_000).contains(rate) else {
                throw ValidationError("--rate must be from 0 to 1000000 requests per second.")
            }
        }
    }

    package func run(on console: Console) async throws {
        let spec = try self.choice.spec(on: console, verb: "planned")
        let measured = self.rate == nil || self.stableErrors == nil ? await self.measured(spec.id, on: console) : nil
        guard let rate = self.rate ?? measured?.rate else {
            throw CommandFailure(
                code: .usage,
                message: "no controller has counted requests of \(spec.id): say how many there are with --rate"
            )
        }
        let forecast = RolloutForecast(
            spec,
            requestsPerSecond: rate,
            isMeasured: self.rate == nil,
            RolloutForecast.Baselines(
                errors: self.stableErrors?.share ?? measured?.errors ?? 0.001,
                clientErrors: self.stableClientErrors.share,
                slow: self.stableSlow.share,
                matching: self.matching.share
            )
        )
        try self.output.print(forecast, on: console) { forecast.lines }
    }

    /// - Returns: Nothing when no controller answers, or it has counted nothing yet.
    private func measured(_ id: DeploymentID, on console: Console) async -> (rate: Double, errors: Double)? {
        guard let traffic = try? await self.connection.client(console).traffic(of: id), !traffic.errors.isEmpty else {
            return nil
        }
        let requests = traffic.errors.reduce(0) { $0 + $1.requests }
        let bad = traffic.errors.reduce(0) { $0 + $1.bad }
        guard requests > 0 else { return nil }
        // Half a failure more than were seen: a stable that never failed is not perfect.
        let errors = (Double(bad) + 0.5) / (Double(requests) + 1)
        return (Double(requests) / Double(traffic.errors.count) / traffic.pieceSeconds, errors)
    }
}

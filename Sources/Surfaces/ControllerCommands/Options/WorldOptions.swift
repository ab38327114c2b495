package import ArgumentParser
import Deployments
import Simulation

/// The world that `controller simulate` assumes.
package struct WorldOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Requests per second, both revisions together.", valueName: "number"))
    package var rate: Double = 40

    @Option(help: ArgumentHelp("Stable's answers 5xx, resets and timeouts.", valueName: "percent"))
    package var stableErrors = ShareArgument(share: 0.001)

    @Option(help: ArgumentHelp("The canary's. Default: as stable's.", valueName: "percent"))
    package var canaryErrors: ShareArgument?

    @Option(help: ArgumentHelp("Stable's answers 4xx.", valueName: "percent"))
    package var stableClientErrors = ShareArgument(share: 0)

    @Option(help: ArgumentHelp("The canary's. Default: as stable's.", valueName: "percent"))
    package var canaryClientErrors: ShareArgument?

    @Option(help: ArgumentHelp("Stable's answers slower than the manifest's bounds.", valueName: "percent"))
    package var stableSlow = ShareArgument(share: 0.01)

    @Option(help: ArgumentHelp("The canary's. Default: as stable's.", valueName: "percent"))
    package var canarySlow: ShareArgument?

    @Option(help: ArgumentHelp("Requests with the headers of a match step.", valueName: "percent"))
    package var matching = ShareArgument(share: 0.05)

    @Option(
        help: ArgumentHelp(
            """
            What others answer for a gate: a threshold's value; for a ratio the canary's share of bad ones, for a mean
            its mean, for drift the share of its answers that are others than stable's, for slower answers the share
            of pairs in which its answer is the slower one. May be repeated. Default: within its limits, or as
            stable's.
            """,
            valueName: "gate=value"
        )
    )
    package var metric: [MetricArgument] = []

    @Option(help: ArgumentHelp("Until a replica is ready.", valueName: "time"))
    package var startup: DurationArgument?

    @Option(help: ArgumentHelp("How long a person takes to approve. Default: at once.", valueName: "time"))
    package var approveAfter: DurationArgument?

    @Flag(help: "Nobody approves.")
    package var noApproval = false

    @Option(name: .customLong("for"), help: ArgumentHelp("At most so long. Default: 24h.", valueName: "time"))
    package var limit: DurationArgument?

    package init() {}

    package func validate() throws {
        guard self.rate.isFinite, (0...1_000_000).contains(self.rate) else {
            throw ValidationError("--rate must be from 0 to 1000000 requests per second.")
        }
        if self.noApproval, self.approveAfter != nil {
            throw ValidationError("Give --approve-after or --no-approval, not both.")
        }
        if let limit = self.limit, limit.duration > .hours(24 * 14) { throw ValidationError("--for is at most 336h.") }
    }

    var assumptions: Rehearsal.Assumptions {
        var assumptions = Rehearsal.Assumptions(rate: self.rate)
        assumptions.stable = Rehearsal.Quality(
            errors: self.stableErrors.share,
            clientErrors: self.stableClientErrors.share,
            slow: self.stableSlow.share
        )
        assumptions.canary = Rehearsal.Quality(
            errors: (self.canaryErrors ?? self.stableErrors).share,
            clientErrors: (self.canaryClientErrors ?? self.stableClientErrors).share,
            slow: (self.canarySlow ?? self.stableSlow).share
        )
        assumptions.matching = self.matching.share
        assumptions.startup = self.startup?.duration ?? assumptions.startup
        assumptions.approval = self.noApproval ? nil : self.approveAfter?.duration ?? .zero
        assumptions.metrics = Dictionary(self.metric.map { ($0.gate, $0.value) }, uniquingKeysWith: { _, last in last })
        assumptions.limit = self.limit?.duration ?? assumptions.limit
        return assumptions
    }
}

package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation
import Manifests

package struct PlanCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what merging a change would do, or what a manifest's rollout would take and notice.",
        discussion: """
            For each step: how many requests the canary gets, how long a good one is expected to stay, and how soon one
            would be found that fails twice or five times as often as stable, or half of the time. Expectations at
            constant rates; `controller simulate` draws single rollouts.

            With --from, what merging a change would do, without a controller: the deployments that are new, roll out,
            are changed in place, deleted or refused between two commits of the repository that this folder is in. PATH
            is then the watched folder, from the root. It exits with 1 when something is refused. In continuous
            integration, plan the merge of the pull request: --from origin/main --to HEAD.

            With --pull-request, what that pull request would do: it is fetched from the remote of this clone, and
            compared with the commit where it left the watched branch.

            The traffic is what a running controller has counted of the deployment, if one answers and knows it, or what
            --rate and --stable-errors say.

            EXAMPLES
              controller plan deployments/file-type.yaml --rate 40
              controller plan deployments/ --deployment search/file-type --rate 200 --stable-errors 0.5%
              controller plan deployments/file-type.yaml --output json
              controller plan --from origin/main
              controller plan --from origin/main --to HEAD deployments --markdown > comment.md
              controller plan --pull-request 42 deployments
            """
    )

    @OptionGroup
    package var choice: ManifestChoice

    @Option(help: ArgumentHelp("The commit that is served: what merging does is said.", valueName: "revision"))
    package var from: String?

    @Option(help: ArgumentHelp("The commit that is to be merged.", valueName: "revision"))
    package var to = "HEAD"

    @Option(help: ArgumentHelp("What merging it does is said: fetched from the remote.", valueName: "number"))
    package var pullRequest: Int?

    @Option(help: ArgumentHelp("With --pull-request: the watched branch.", valueName: "name"))
    package var branch = "main"

    @Option(help: ArgumentHelp("With --pull-request: where it is fetched from.", valueName: "name"))
    package var remote = "origin"

    @Flag(help: "With --from or --pull-request: Markdown, for a comment on a pull request.")
    package var markdown = false

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
        if self.from == nil, self.to != "HEAD" || self.markdown && self.pullRequest == nil {
            throw ValidationError("--to and --markdown are for comparing commits: say which is served with --from.")
        }
        if let number = self.pullRequest {
            guard number > 0 else { throw ValidationError("--pull-request takes its number, such as 42.") }
            guard self.from == nil else { throw ValidationError("--pull-request and --from exclude each other.") }
        } else if self.branch != "main" || self.remote != "origin" {
            throw ValidationError("--branch and --remote are for fetching: say what with --pull-request.")
        }
        if self.from != nil || self.pullRequest != nil, self.choice.paths.count > 1 || self.choice.deployment != nil {
            throw ValidationError(
                "When commits are compared, at most one path is named: the watched folder, from the root."
            )
        }
        if self.markdown, self.output != .table {
            throw ValidationError("--markdown and --output exclude each other.")
        }
    }

    package func run(on console: Console) async throws {
        if let number = self.pullRequest {
            let found = try await console.fetchPullRequest(number, self.branch, self.remote)
            let head = Side(name: "pull request \(number)", revision: found.head)
            return try await self.planMerge(of: head, into: Side(name: self.branch, revision: found.base), on: console)
        }
        if let from {
            let head = Side(name: self.to, revision: self.to)
            return try await self.planMerge(of: head, into: Side(name: from, revision: from), on: console)
        }
        let spec = try self.choice.spec(on: console, verb: "planned")
        let measured = self.rate == nil || self.stableErrors == nil ? await self.measured(spec.id, on: console) : nil
        guard let rate = self.rate ?? measured?.rate else {
            throw CommandFailure(
                code: .usage,
                message: "no controller has counted requests of \(spec.id): say how many there are with --rate"
            )
        }
        let forecast = self.forecast(spec, rate, measured)
        try self.output.print(forecast, on: console) { forecast.lines }
    }

    private func forecast(_ spec: DeploymentSpec, _ rate: Double, _ measured: Measured?) -> RolloutForecast {
        RolloutForecast(
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
    }

    // MARK: - Commits

    /// One of the two commits that are compared.
    private struct Side {
        /// For people.
        var name: String
        /// For git.
        var revision: String
    }

    private func planMerge(of head: Side, into base: Side, on console: Console) async throws {
        let folder = (self.choice.paths.first ?? "").split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        let reader = try self.choice.reader(environment: console.environment)
        let from = try console.readRevision(base.revision, folder)
        let to = try console.readRevision(head.revision, folder)
        if from.files.isEmpty, to.files.isEmpty {
            let place = folder.isEmpty ? "the repository" : "the folder \(folder)"
            throw CommandFailure(code: .usage, message: "there are no manifests in \(place), in neither commit")
        }
        let plan = await MergePlan(
            from: Self.state(of: from, base.name, by: reader),
            to: Self.state(of: to, head.name, by: reader),
            forecast: { await self.expectation(of: $0, on: console) }
        )
        if self.markdown {
            try console.output(plan.markdown)
        } else {
            try self.output.print(plan, on: console) { plan.lines }
        }
        if self.output == .table { console.tell(StyledText(plan.summary)) }
        // The output says it all.
        if plan.diagnostics.contains(where: { $0.severity == .error }) {
            throw CommandFailure(code: .refused, message: "")
        }
    }

    private static func state(of revision: Console.Revision, _ name: String, by reader: ManifestReader)
        -> (commit: MergePlan.Commit, state: DesiredState)
    {
        let origin = CommitReference(repository: "here", branch: name, commit: revision.commit)
        let commit = MergePlan.Commit(revision: name, commit: revision.commit, subject: revision.subject)
        return (commit, reader.read(revision.files, origin: origin))
    }

    /// - Returns: Nothing when nothing is known of the deployment's traffic.
    private func expectation(of spec: DeploymentSpec, on console: Console) async -> RolloutForecast? {
        let measured = self.rate == nil || self.stableErrors == nil ? await self.measured(spec.id, on: console) : nil
        return (self.rate ?? measured?.rate).map { self.forecast(spec, $0, measured) }
    }

    private typealias Measured = (rate: Double, errors: Double)

    /// - Returns: Nothing when no controller answers, or it has counted nothing yet.
    private func measured(_ id: DeploymentID, on console: Console) async -> Measured? {
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

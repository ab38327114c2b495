package import ArgumentParser
import ControllerAPI
import ControllerWords
import Deployments

package struct GetCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List the deployments.",
        discussion: """
            AGE is how long the deployment has been in its phase. REPLICAS are the ready ones of those wanted, canary
            and stable together. WEIGHT is the share of requests that the newest revision gets.

            EXAMPLES
              controller get
              controller get search/file-type --output yaml
              controller get search/file-type --explain-spec
              controller get --watch
              controller get --namespace search --output json | jq '.deployments[].phase'
            """,
        aliases: ["list"]
    )

    @Argument(help: ArgumentHelp("Only these: namespace/name, or name in the namespace default.", valueName: "name"))
    package var names: [DeploymentArgument] = []

    @Option(help: "Only the deployments of this namespace.")
    package var namespace: String?

    @Flag(help: "Of one deployment: each value of its manifest, and the file and line that it comes from.")
    package var explainSpec = false

    @Flag(name: [.short, .long], help: "Keep showing them as they change.")
    package var watch = false

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard !self.watch || !self.explainSpec else {
            throw ValidationError("--explain-spec is of one commit: leave --watch out.")
        }
        guard !self.explainSpec || self.names.count == 1 && self.namespace == nil else {
            throw ValidationError("--explain-spec is about one deployment: name it.")
        }
    }

    package func run(on console: Console) async throws {
        if self.explainSpec, let name = self.names.first {
            return try await self.explainSpec(of: name.id, on: console)
        }
        if self.watch { return try await self.follow(on: console) }
        var fleet: FleetStatus
        do {
            fleet = try await self.connection.client(console).fleet()
        } catch {
            throw CommandFailure(error)
        }
        let known = fleet.deployments.map(\.id)
        for name in self.names where !known.contains(name.id.description) {
            throw CommandFailure(
                code: .refused,
                message: Problem.unknownDeployment(name.id.description, known: known).detail
            )
        }
        fleet.deployments = fleet.deployments.filter { deployment in
            (self.names.isEmpty || self.names.contains { $0.id.description == deployment.id })
                && (self.namespace == nil || self.namespace == deployment.namespace)
        }
        try self.output.print(fleet, on: console) {
            fleet.deployments.isEmpty
                ? []
                : FleetTable.lines(fleet.deployments, now: console.now(), width: console.terminal()?.columns)
        }
        guard self.output == .table else { return }
        FleetTable.warnings(fleet, now: console.now()).forEach(console.tell)
        guard fleet.deployments.isEmpty, fleet.unknown == nil else { return }
        console.tell(
            self.namespace.map { "no deployments in namespace \($0)" }
                ?? "no deployments: commit a ModelDeployment to a watched branch"
        )
    }

    private func follow(on console: Console) async throws {
        let (names, namespace) = (Set(self.names.map(\.id.description)), self.namespace)
        try await FleetWatch(
            client: self.connection.client(console),
            console: console,
            selects: { deployment in
                (names.isEmpty || names.contains(deployment.id))
                    && (namespace == nil || namespace == deployment.namespace)
            },
            draw: { fleet, now, width in
                FleetTable.lines(fleet.deployments, now: now, width: width)
                    + FleetTable.warnings(fleet, now: now).map { $0.truncated(to: width) }
            }
        ).run(self.output)
    }

    private func explainSpec(of id: DeploymentID, on console: Console) async throws {
        let spec: SpecStatus
        do {
            spec = try await self.connection.client(console).spec(of: id)
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(spec, on: console) {
            SpecTable.lines(spec.values, width: console.terminal()?.columns)
        }
        guard self.output == .table else { return }
        console.tell("\(id) as \(spec.repository) wants it at \(spec.branch)@\(spec.commit.prefix(10))")
        for problem in spec.problems { console.tell(StyledText(problem)) }
    }
}

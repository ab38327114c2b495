package import ArgumentParser
import ControllerAPI
import Deployments

package struct LogsCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a deployment's replicas wrote.",
        discussion: """
            Those that run, or the last one that ran, unless a revision or a replica is named; --list names them.
            With several, each line begins with its replica.

            EXAMPLES
              controller logs search/file-type
              controller logs search/file-type --follow
              controller logs search/file-type --revision 1eabc9a4 --tail 500
              controller logs search/file-type --list
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Option(
        help: ArgumentHelp(
            "Only of the revision whose digest begins so; of replicas that are gone, too.",
            valueName: "rev"
        )
    )
    package var revision: String?

    @Option(help: ArgumentHelp("Only of this replica, as --list names it.", valueName: "replica"))
    package var replica: String?

    @Option(help: ArgumentHelp("The last so many lines of each, 0 to 10000.", valueName: "lines"))
    package var tail: Int = 100

    @Flag(
        name: [.short, .long],
        help: "Go on with what they write, until Ctrl-C; also of replicas that start meanwhile."
    )
    package var follow = false

    @Flag(help: "List the replicas that wrote something.")
    package var list = false

    @Option(name: [.short, .long], help: "With --list: table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard (0...10_000).contains(self.tail) else { throw ValidationError("--tail must be from 0 to 10000.") }
        if self.output != .table, !self.list { throw ValidationError("Logs are lines: --output goes with --list.") }
        if self.list, self.follow { throw ValidationError("--list and --follow exclude each other.") }
    }

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        let id = self.name.id
        do {
            let known = try await client.logs(of: id)
            // Says it better when there is no such deployment.
            if known.isEmpty { _ = try await client.deployment(id) }
            if self.list { return try self.output.print(known, on: console) { LogTable.lines(known) } }
            let chosen = self.chosen(among: known)
            guard !chosen.isEmpty || self.follow else { throw self.nothing(known) }
            var reader = LogReader(client: client, id: id, console: console)
            for log in chosen {
                try await reader.show(log.replica, last: self.tail, of: chosen.count, goesOn: self.follow)
            }
            if self.follow { try await self.follow(&reader, client) }
        } catch let error as ControllerClientError {
            throw CommandFailure(error)
        }
    }

    /// By name, as they are read one after the other.
    private func chosen(among known: [LogStatus]) -> [LogStatus] {
        var chosen = known
        if let replica = self.replica { chosen = chosen.filter { $0.replica == replica } }
        if let revision = self.revision {
            // A log is named by the revision's first digits, and may be asked for by all of them.
            chosen = chosen.filter { log in
                let short = log.replica.prefix { $0 != "-" }
                return short.hasPrefix(revision) || revision.hasPrefix(short)
            }
        } else if self.replica == nil {
            let current = chosen.filter(\.isCurrent)
            chosen = current.isEmpty ? Array(chosen.prefix(1)) : current
        }
        return chosen.sorted { $0.replica < $1.replica }
    }

    private func nothing(_ known: [LogStatus]) -> CommandFailure {
        let names = known.map(\.replica).joined(separator: ", ")
        return CommandFailure(
            code: .refused,
            message: known.isEmpty
                ? "no replica of \(self.name.id) has written anything that is kept"
                : "no log of \(self.name.id) is of that revision and replica; there are \(names)"
        )
    }

    private func follow(_ reader: inout LogReader, _ client: ControllerClient) async throws {
        var isLost = false
        while true {
            try await reader.console.sleep(.seconds(1))
            do {
                let chosen = self.chosen(among: try await client.logs(of: self.name.id))
                for log in chosen { try await reader.goOn(log.replica, of: chosen.count) }
                if isLost { reader.console.tell("the controller answers again") }
                isLost = false
            } catch let error as ControllerClientError {
                if !isLost { reader.console.tell(StyledText("trying again: \(error.message)")) }
                isLost = true
            }
        }
    }
}

package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation

/// Whom a freeze is about.
package struct FreezeSelection: ParsableArguments {
    @Option(name: [.short, .long], help: "All deployments of this namespace.")
    package var namespace: String?

    @Option(
        name: [.short, .customLong("selector")],
        help: ArgumentHelp("All deployments with these labels: team=search,tier=gold.", valueName: "labels")
    )
    package var labels: LabelsArgument?

    @Flag(help: "All deployments.")
    package var all = false

    package init() {}

    var selection: DeploymentSelection {
        DeploymentSelection(namespace: self.namespace, labels: self.labels?.labels, all: self.all ? true : nil)
    }

    func selects(_ freeze: FreezeStatus) -> Bool {
        freeze.namespace == self.namespace && freeze.labels ?? [:] == self.labels?.labels ?? [:]
    }
}

package struct FreezeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Keep anything new from being rolled out, until a time.",
        discussion: """
            It holds for what git brings later, too, and ends by itself. Rollbacks and all other safety go on; a rollout
            in flight stays where it is. What is to come back every year belongs into git, as a FreezeWindow.

            EXAMPLES
              controller freeze --all --for 2h --why "incident 4711"
              controller freeze --namespace search --until 2026-12-27T08:00:00Z --why "holidays"
              controller freeze --selector team=search --for 30m --why "their feature store moves"
              controller freeze --list
            """
    )

    @OptionGroup
    package var options: FreezeSelection

    @Option(name: .customLong("for"), help: ArgumentHelp("For so long: 45s, 30m, 1h30m.", valueName: "time"))
    package var time: DurationArgument?

    @Option(help: ArgumentHelp("Until this time, in UTC: 2026-12-27T08:00:00Z.", valueName: "time"))
    package var until: TimeArgument?

    @Option(help: ArgumentHelp("The reason: everybody whom the freeze stops sees it.", valueName: "text"))
    package var why: String = ""

    @Flag(help: "Show the freezes of operators that stand.")
    package var list = false

    @Option(name: [.short, .long], help: "With --list: table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        if self.list { return }
        guard self.options.selection.isMeant else {
            throw ValidationError("Say whom: --namespace, --selector or both, or else --all.")
        }
        guard (self.time == nil) != (self.until == nil) else {
            throw ValidationError("A freeze ends: say when with --for or with --until.")
        }
        guard !self.why.isEmpty else { throw ValidationError("Say why with --why \"…\": whom it stops will ask.") }
    }

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        if self.list { return try await self.show(client, on: console) }
        let end = self.time.map { console.now().addingTimeInterval($0.duration.inSeconds) }
        let request = FreezeRequest(
            by: console.environment["SUDO_USER", default: ""],
            why: self.why,
            until: self.until?.date ?? end ?? console.now(),
            selection: self.options.selection
        )
        let answer = try await client.freeze(request)
        guard answer.accepted else { throw CommandFailure(code: .refused, message: answer.message) }
        try console.print(StyledText(answer.message))
    }

    private func show(_ client: ControllerClient, on console: Console) async throws {
        let freezes = try await client.freezes()
        try self.output.print(freezes, on: console) {
            freezes.isEmpty ? [] : FreezeTable.lines(freezes, now: console.now(), width: console.terminal()?.columns)
        }
        if freezes.isEmpty, self.output == .table { console.tell("no freeze of an operator stands") }
    }
}

package struct UnfreezeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "unfreeze",
        abstract: "End a freeze of an operator before its time.",
        discussion: """
            Those that git declares end by a commit.

            EXAMPLES
              controller unfreeze 3 --why "the incident is over"
              controller unfreeze --namespace search
              controller unfreeze --all
            """
    )

    @Argument(help: ArgumentHelp("Its number, as `controller freeze --list` shows it.", valueName: "number"))
    package var number: Int64?

    @OptionGroup
    package var options: FreezeSelection

    @Option(help: ArgumentHelp("The reason, for the audit.", valueName: "text"))
    package var why: String = ""

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        let says = self.options.all || self.options.namespace != nil || self.options.labels != nil
        guard (self.number != nil) != says else {
            throw ValidationError("Name one freeze by its number, or say whose was asked for as it was.")
        }
        guard self.number != nil || self.options.selection.isMeant else {
            throw ValidationError("--all means the freezes of everybody: leave out --namespace and --selector.")
        }
    }

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        var numbers = self.number.map { [$0] } ?? []
        if self.number == nil {
            numbers = try await client.freezes().filter(self.options.selects).map(\.id)
            guard !numbers.isEmpty else {
                throw CommandFailure(
                    code: .refused,
                    message: "no freeze was asked for so: `controller freeze --list` shows those that stand"
                )
            }
        }
        for number in numbers {
            let name = console.environment["SUDO_USER", default: ""]
            let answer = try await client.unfreeze(number, by: name, why: self.why)
            guard answer.accepted else { throw CommandFailure(code: .refused, message: answer.message) }
            try console.print(StyledText(answer.message))
        }
    }
}

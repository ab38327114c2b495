package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation

package struct AuditCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show who did what, by which way, and why; check that nobody changed that.",
        discussion: """
            Every command is written down before it is done and once it is known what came of it, also when it was
            refused. Each entry holds the hash of the one before.

            EXAMPLES
              controller audit
              controller audit --deployment search/file-type --since 24h
              controller audit --by alice --action rollback --output json
              controller audit --all --output jsonl > audit.jsonl
              controller audit verify
              controller audit verify --file /backup/controller.sqlite.audit --expect 41:9f86d0…
              controller audit head
            """,
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self, AuditHeadCommand.self],
        defaultSubcommand: AuditListCommand.self
    )

    package init() {}
}

package struct AuditListCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the newest entries, oldest first; this is what `controller audit` does.",
        discussion: """
            EXAMPLES
              controller audit list --limit 200
              controller audit --all --output jsonl > audit.jsonl
            """
    )

    package enum Format: String, ExpressibleByArgument, CaseIterable, Sendable { case table, json, jsonl, yaml }

    @Option(help: "Only of this deployment.")
    package var deployment: DeploymentArgument?

    @Option(help: ArgumentHelp("Only by callers whose name has this in it.", valueName: "name"))
    package var by: String?

    @Option(help: ArgumentHelp("Only this: pause, rollback, promote-model, freeze, forbidden, …", valueName: "action"))
    package var action: String?

    @Option(help: ArgumentHelp("Only since this time in UTC, or for so long: 24h.", valueName: "time"))
    package var since: SinceArgument?

    @Option(help: "The newest so many entries, 1 to \(APIRoute.auditLimit).")
    package var limit: Int = 50

    @Flag(help: "All entries, however many; with --output jsonl.")
    package var all = false

    @Option(name: [.short, .long], help: "table for people; json or yaml for programs; jsonl, an object a line.")
    package var output: Format = .table

    @OptionGroup
    package var source: AuditSourceOptions

    package init() {}

    package func validate() throws {
        guard (1...APIRoute.auditLimit).contains(self.limit) else {
            throw ValidationError("--limit must be from 1 to \(APIRoute.auditLimit); --all has none.")
        }
        guard !self.all || self.output == .jsonl else {
            throw ValidationError("--all writes an object a line: use --output jsonl.")
        }
    }

    package func run(on console: Console) async throws {
        let reading = try self.source.reading(console)
        var filter = AuditFilter(
            limit: self.limit,
            deployment: self.deployment?.id.description,
            by: self.by,
            action: self.action,
            since: self.since?.date(at: console.now())
        )
        guard self.all else { return try self.print(try await reading.entries(filter), on: console) }
        (filter.after, filter.limit) = (0, APIRoute.auditLimit)
        while case let entries = try await reading.entries(filter), let last = entries.last {
            try self.print(entries, on: console)
            filter.after = last.number
        }
    }

    private func print(_ entries: [AuditStatus], on console: Console) throws {
        let format: OutputFormat
        switch self.output {
        case .jsonl:
            return try console.output(try entries.map { try JSONText.render($0, compact: true) }.joined())
        case .table: format = .table
        case .json: format = .json
        case .yaml: format = .yaml
        }
        try format.print(entries, on: console) {
            AuditTable.lines(entries, now: console.now(), width: console.terminal()?.columns)
        }
    }
}

package struct AuditVerifyCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Walk the whole chain: is every entry as it was written, and none missing?",
        discussion: """
            It names the first entry that is broken, and ends with 1. Who can write the file can write the whole chain
            anew: note `controller audit head` elsewhere from time to time, and compare with --expect.

            EXAMPLES
              controller audit verify
              controller audit verify --expect "$(cat /safe/audit-head)"
              controller audit verify --file /backup/controller.sqlite.audit
            """
    )

    @Option(
        help: ArgumentHelp("An entry's number and hash, as `controller audit head` printed them.", valueName: "head")
    )
    package var expect: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var source: AuditSourceOptions

    package init() {}

    package func run(on console: Console) async throws {
        let found = try await AuditVerification.run(try self.source.reading(console), expecting: self.expect)
        try self.output.print(found, on: console) { [StyledText(found.sentence)] }
        guard let problem = found.problem else { return }
        throw CommandFailure(code: .refused, message: "\(problem): docs/operating/audit.md says what to do")
    }
}

package struct AuditHeadCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "head",
        abstract: "Print the last entry's number and hash, to be noted where this machine cannot write.",
        discussion: """
            EXAMPLES
              controller audit head | ssh safe 'cat >> audit-heads'
            """
    )

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let head = try await self.connection.client(console).auditHead()
        try console.print(StyledText(head.head))
        guard head.unwritten > 0 else { return }
        let problem = head.problem.map { ": \($0)" } ?? ""
        console.tell(
            StyledText("warning: ", .yellow) + StyledText("\(head.unwritten) entries are not written\(problem)")
        )
    }
}

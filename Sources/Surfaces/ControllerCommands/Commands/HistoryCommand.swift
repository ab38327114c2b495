package import ArgumentParser
import ControllerAPI
import Foundation

package struct HistoryCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what happened to a deployment, oldest first; or export every decision.",
        discussion: """
            With --export it writes the recorded decisions of the deployment, or of all, with everything that they
            rested on, into a file that `controller replay` reads. --journal takes them from a copy of the journal
            instead, without a controller.

            EXAMPLES
              controller history search/file-type
              controller history search/file-type --limit 200 --output json
              controller history --export night.jsonl
              controller history search/file-type --export - --journal ./journal.sqlite | gzip > night.jsonl.gz
            """
    )

    @Argument(help: ArgumentHelp("The deployment; without one, --export takes all.", valueName: "name"))
    package var name: DeploymentArgument?

    @Option(help: "The newest so many events, 1 to \(APIRoute.historyLimit).")
    package var limit: Int = APIRoute.defaultHistoryLimit

    @Option(help: ArgumentHelp("Write the decisions into this file; - is stdout.", valueName: "file"))
    package var export: String?

    @Option(help: ArgumentHelp("With --export: the journal's file, or a copy of it.", valueName: "path"))
    package var journal: String?

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard (1...APIRoute.historyLimit).contains(self.limit) else {
            throw ValidationError("--limit must be from 1 to \(APIRoute.historyLimit).")
        }
        if self.name == nil, self.export == nil {
            throw ValidationError("Name a deployment, or export the decisions of all with --export.")
        }
        if self.journal != nil, self.export == nil { throw ValidationError("--journal goes with --export.") }
    }

    package func run(on console: Console) async throws {
        if let export = self.export { return try await self.export(to: export, on: console) }
        guard let id = self.name?.id else { return }
        let events: [EventStatus]
        do {
            events = try await self.connection.client(console).history(id, limit: self.limit)
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(events, on: console) {
            HistoryTable.lines(events, now: console.now(), width: console.terminal()?.columns)
        }
    }

    private func export(to file: String, on console: Console) async throws {
        let id = self.name?.id
        let export = DecisionExport(deployment: id, exported: console.now(), source: try self.source(console))
        let count: Int
        if file == "-" {
            guard console.terminal() == nil else {
                throw CommandFailure(
                    code: .usage,
                    message: "an export is no text for a terminal: redirect it, or name a file"
                )
            }
            count = try await export.write { try console.output(String(decoding: $0, as: UTF8.self)) }
        } else {
            count = try await export.write(file: file)
        }
        let whose = id.map { " of \($0)" } ?? ""
        console.tell(StyledText("\(count) decisions\(whose) exported\(file == "-" ? "" : " to \(file)")"))
        if count == 0 {
            throw CommandFailure(code: .refused, message: "no decision\(whose) is kept: look at `controller get`")
        }
    }

    private func source(_ console: Console) throws -> Console.ChapterSource {
        let id = self.name?.id
        guard let journal = self.journal else {
            let client = try self.connection.client(console)
            return { try await client.decisions(after: $0, of: id) }
        }
        do {
            return try console.openJournal(journal, id)
        } catch {
            throw CommandFailure(code: .usage, message: "\(error)")
        }
    }
}

package import ArgumentParser
import ControllerAPI
import Foundation

package struct EventsCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened to all deployments, oldest first, and with --follow what happens.",
        discussion: """
            --follow goes on over restarts of the controller and misses nothing that was journaled meanwhile. With
            --output json it writes an object a line.

            EXAMPLES
              controller events
              controller events --namespace search --limit 200 --output json
              controller events --follow
            """
    )

    @Option(help: "The newest so many events, 1 to \(APIRoute.historyLimit).")
    package var limit: Int = APIRoute.defaultHistoryLimit

    @Option(name: [.short, .long], help: "Only of this namespace.")
    package var namespace: String?

    @Flag(name: [.short, .long], help: "Go on with what happens from now on, until Ctrl-C.")
    package var follow = false

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard (1...APIRoute.historyLimit).contains(self.limit) else {
            throw ValidationError("--limit must be from 1 to \(APIRoute.historyLimit).")
        }
    }

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        let events: [EventStatus]
        do {
            events = try await client.events(in: self.namespace, limit: self.limit)
        } catch {
            throw CommandFailure(error)
        }
        guard self.follow else {
            return try self.output.print(events, on: console) {
                EventsTable.lines(events, now: console.now(), width: console.terminal()?.columns)
            }
        }
        try self.write(events, on: console)
        try await self.follow(after: events.last?.id ?? 0, client, on: console)
    }

    private func follow(after last: Int64, _ client: ControllerClient, on console: Console) async throws {
        var last = last
        var isLost = false
        while true {
            try await console.sleep(.seconds(1))
            var events: [EventStatus] = []
            do throws(ControllerClientError) {
                events = try await client.events(after: last, in: self.namespace, limit: APIRoute.historyLimit)
                if isLost { console.tell("the controller answers again") }
                isLost = false
            } catch {
                if !isLost { console.tell(StyledText("trying again: \(error.message)")) }
                isLost = true
            }
            try self.write(events, on: console)
            last = events.last?.id ?? last
        }
    }

    /// What no later event changes: a line each, or a document.
    private func write(_ events: [EventStatus], on console: Console) throws {
        for event in events {
            switch self.output {
            case .table: try console.print(EventsTable.line(event))
            case .json: try console.output(try JSONText.render(event, compact: true))
            case .yaml: try console.output("---\n" + YAMLText.render(try JSONText.tree(of: event)))
            }
        }
    }
}

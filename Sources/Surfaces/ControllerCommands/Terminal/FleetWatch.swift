import ControllerAPI
import ControllerWords
import Deployments
import Foundation

/// Follows all deployments until the program is ended, also over restarts of the controller.
struct FleetWatch: Sendable {
    let client: ControllerClient
    let console: Console
    /// Those that are shown.
    let selects: @Sendable (DeploymentStatus) -> Bool
    /// One frame, as wide as this.
    let draw: @Sendable (FleetStatus, _ now: Date, _ width: Int) -> [StyledText]

    private static let period: Duration = .seconds(1)

    /// As tables that are drawn over each other where that can be done, and as a line for each change elsewhere.
    func run(_ format: OutputFormat) async throws {
        if format == .table, self.console.canRedraw {
            try await self.redraw()
        } else {
            try await self.printChanges(format)
        }
    }

    private func redraw() async throws {
        var last = try await self.first()
        var problem: ControllerClientError?
        self.console.restoreCursorOnSignals()
        try self.console.output("\u{1b}[?25l\u{1b}[2J")
        do {
            while true {
                try self.console.output(self.frame(last, problem: problem))
                try await self.console.sleep(Self.period)
                do throws(ControllerClientError) {
                    last = try await self.client.fleet()
                    problem = nil
                } catch {
                    problem = error
                }
            }
        } catch {
            try self.console.output("\u{1b}[?25h")
            throw error
        }
    }

    /// One write that overwrites the last, so that nothing flickers.
    private func frame(_ fleet: FleetStatus, problem: ControllerClientError?) -> String {
        let terminal = self.console.terminal() ?? Terminal(columns: 80, rows: 24)
        // The last row stays empty: a line feed there would scroll the frame's beginning away.
        let room = max(1, terminal.rows - 1)
        var lines = self.draw(self.selected(of: fleet), self.console.now(), terminal.columns)
        if let problem {
            let notice = StyledText("last seen state; trying again: ", .yellow) + StyledText(problem.message)
            lines.insert(notice.truncated(to: terminal.columns), at: 0)
        }
        if lines.count > room {
            let hidden = lines.count - room + 1
            lines = lines.prefix(room - 1) + [StyledText("… \(hidden) more lines: enlarge the terminal", .dim)]
        }
        let text = lines.rendered(colour: self.console.colour)
        return "\u{1b}[H" + text.replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J"
    }

    private func printChanges(_ format: OutputFormat) async throws {
        var fleet = try await self.first()
        var printed: [String: ChangeLine.Key] = [:]
        var isLost = false
        while true {
            let statuses = self.selected(of: fleet).deployments
            for status in statuses.sorted(by: { $0.id < $1.id }) {
                let key = ChangeLine.Key(status)
                guard printed[status.id] != key else { continue }
                try self.print(status, format)
                printed[status.id] = key
            }
            for id in printed.keys.sorted() where !statuses.contains(where: { $0.id == id }) {
                self.console.tell("\(id) is gone")
                printed[id] = nil
            }
            try await self.console.sleep(Self.period)
            do throws(ControllerClientError) {
                fleet = try await self.client.fleet()
                if isLost { self.console.tell("the controller answers again") }
                isLost = false
            } catch {
                if !isLost { self.console.tell(StyledText("trying again: \(error.message)")) }
                isLost = true
            }
        }
    }

    private func print(_ status: DeploymentStatus, _ format: OutputFormat) throws {
        switch format {
        case .table: try self.console.print(ChangeLine.line(status, now: self.console.now()))
        case .json: try self.console.output(try JSONText.render(status, compact: true))
        case .yaml: try self.console.output("---\n" + YAMLText.render(try JSONText.tree(of: status)))
        }
    }

    private func selected(of fleet: FleetStatus) -> FleetStatus {
        var fleet = fleet
        fleet.deployments = fleet.deployments.filter(self.selects)
        return fleet
    }

    /// A wrong socket is better said at once than retried for ever.
    private func first() async throws(CommandFailure) -> FleetStatus {
        do {
            return try await self.client.fleet()
        } catch {
            throw CommandFailure(error)
        }
    }
}

import ControllerAPI
import Deployments
import Foundation

/// Follows one deployment until the program is ended, also over restarts of the controller.
struct Watch: Sendable {
    let client: ControllerClient
    let name: DeploymentID
    let console: Console

    private static let period: Duration = .seconds(1)
    private static let hideCursor = "\u{1b}[?25l"
    private static let showCursor = "\u{1b}[?25h"
    private static let clearScreen = "\u{1b}[2J"
    private static let home = "\u{1b}[H"
    private static let clearLine = "\u{1b}[K"
    private static let clearBelow = "\u{1b}[J"

    /// Draws frames over each other. Each is one write that overwrites the last, so nothing flickers.
    func redraw() async throws {
        var last = try await self.first()
        self.console.restoreCursorOnSignals()
        try self.console.output(Self.hideCursor + Self.clearScreen)
        do {
            var problem: ControllerClientError?
            while true {
                try self.console.output(self.frame(last, problem: problem))
                try await self.console.sleep(Self.period)
                do throws(ControllerClientError) {
                    last = try await self.client.deployment(self.name)
                    problem = nil
                } catch {
                    problem = error
                }
            }
        } catch {
            try self.console.output(Self.showCursor)
            throw error
        }
    }

    private func frame(_ status: DeploymentStatus, problem: ControllerClientError?) -> String {
        let terminal = self.console.terminal() ?? Terminal(columns: 80, rows: 24)
        let now = self.console.now()
        // The last row stays empty: a line feed there would scroll the frame's beginning away.
        let room = max(1, terminal.rows - 1)
        var lines = StatusTree.lines(status, now: now, width: terminal.columns)
        if lines.count > room {
            lines = StatusTree.lines(status, now: now, width: terminal.columns, brief: true)
        }
        if let problem {
            let notice = StyledText("last seen state; trying again: ", .yellow) + StyledText(problem.message)
            lines.insert(notice.truncated(to: terminal.columns), at: 0)
        }
        if lines.count > room {
            let hidden = lines.count - room + 1
            lines = Array(lines.prefix(room - 1))
            lines.append(StyledText("… \(hidden) more lines: enlarge the terminal, or leave --watch out", .dim))
        }
        let text = lines.rendered(colour: self.console.colour)
        return Self.home + text.replacing("\n", with: Self.clearLine + "\n") + Self.clearBelow
    }

    /// Writes one line for each change.
    func printChanges(_ format: OutputFormat) async throws {
        var status = try await self.first()
        var printed: ChangeLine.Key?
        var isLost = false
        while true {
            let key = ChangeLine.Key(status)
            if key != printed {
                try self.printChange(status, format)
                printed = key
            }
            try await self.console.sleep(Self.period)
            do throws(ControllerClientError) {
                status = try await self.client.deployment(self.name)
                if isLost { self.console.tell("the controller answers again") }
                isLost = false
            } catch {
                if !isLost { self.console.tell(StyledText("trying again: \(error.message)")) }
                isLost = true
            }
        }
    }

    private func printChange(_ status: DeploymentStatus, _ format: OutputFormat) throws {
        switch format {
        case .table: try self.console.print(ChangeLine.line(status, now: self.console.now()))
        case .json: try self.console.output(try JSONText.render(status, compact: true))
        case .yaml: try self.console.output("---\n" + YAMLText.render(try JSONText.tree(of: status)))
        }
    }

    /// A wrong name or socket is better said at once than retried for ever.
    private func first() async throws(CommandFailure) -> DeploymentStatus {
        do {
            return try await self.client.deployment(self.name)
        } catch {
            throw CommandFailure(error)
        }
    }
}

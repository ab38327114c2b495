package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller events`: what happened to all deployments, oldest first.
package enum EventsTable {
    package static func lines(_ events: [EventStatus], now: Date, width: Int?) -> [StyledText] {
        var table = TextTable("TIME", "DEPLOYMENT", "EVENT", "BY", "MESSAGE")
        for event in events {
            table.add(
                StyledText(TimeText.clock(event.time, now: now)),
                StyledText(event.deployment),
                StyledText(event.kind, HistoryTable.style(of: event.kind)),
                StyledText(event.by ?? "controller", event.by == nil ? .dim : .plain),
                StyledText(event.message)
            )
        }
        return table.lines(width: width)
    }

    /// Without columns, as it is not known what follows.
    package static func line(_ event: EventStatus) -> StyledText {
        let by = event.by.map { " (\($0))" } ?? ""
        return StyledText("\(event.time.formatted(.iso8601))  \(event.deployment)  ")
            + StyledText(event.kind, HistoryTable.style(of: event.kind)) + StyledText("\(by)  \(event.message)")
    }
}

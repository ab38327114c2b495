package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller history`: what happened to a deployment, oldest first.
package enum HistoryTable {
    package static func lines(_ events: [EventStatus], now: Date, width: Int?) -> [StyledText] {
        var table = TextTable("TIME", "EVENT", "BY", "COMMIT", "MESSAGE")
        for event in events {
            table.add(
                StyledText(TimeText.clock(event.time, now: now)),
                StyledText(event.kind, Self.style(of: event.kind)),
                StyledText(event.by ?? "controller", event.by == nil ? .dim : .plain),
                StyledText(event.commit?.short ?? "-"),
                StyledText(event.message)
            )
        }
        return table.lines(width: width)
    }

    static func style(of kind: String) -> StyledText.Style {
        switch kind {
        case "promoted", "settled": .green
        case "rolled-back", "rolling-back": .red
        case "paused", "inconclusive", "superseded", "removing": .yellow
        default: .plain
        }
    }
}

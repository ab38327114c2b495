import ControllerAPI
import Foundation

/// `controller logs --list`: whose logs there are, the newest first.
enum LogTable {
    static func lines(_ logs: [LogStatus]) -> [StyledText] {
        var table = TextTable("REPLICA", "BYTES", "WRITTEN", "STATE")
        for log in logs {
            table.add(
                StyledText(log.replica),
                StyledText("\(log.size)"),
                StyledText(log.modified.formatted(.iso8601)),
                StyledText(log.isCurrent ? "running" : "gone", log.isCurrent ? .plain : .dim)
            )
        }
        return table.lines(width: nil)
    }
}

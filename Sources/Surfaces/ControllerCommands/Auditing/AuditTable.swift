package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller audit`: who did what, oldest first.
package enum AuditTable {
    /// A request stands there once: that it was asked is shown where no answer follows.
    package static func lines(_ entries: [AuditStatus], now: Date, width: Int?) -> [StyledText] {
        let answered = Set(entries.filter { $0.stage == "answered" }.compactMap(\.request))
        var table = TextTable("NUMBER", "TIME", "BY", "WAY", "ACTION", "DEPLOYMENT", "RESULT", "WHY")
        for entry in entries where entry.stage != "asked" || entry.request.map({ !answered.contains($0) }) ?? true {
            table.add(
                StyledText("\(entry.number)"),
                StyledText(TimeText.clock(entry.time, now: now)),
                StyledText(entry.by),
                StyledText(Self.way(entry)),
                StyledText(Self.action(entry)),
                StyledText(entry.deployment ?? "-"),
                Self.result(entry),
                StyledText([entry.why, entry.message].compactMap(\.self).joined(separator: ": "))
            )
        }
        return table.lines(width: width)
    }

    private static func way(_ entry: AuditStatus) -> String {
        [entry.way, entry.address].compactMap(\.self).joined(separator: " ")
    }

    private static func action(_ entry: AuditStatus) -> String {
        let flags = ["full", "force"].filter { entry.parameters[$0] == "true" }.map { " --\($0)" }.joined()
        return entry.action + flags + (entry.parameters["to"].map { " --to \($0)" } ?? "")
    }

    private static func result(_ entry: AuditStatus) -> StyledText {
        switch (entry.accepted, entry.changed) {
        case (nil, _): entry.stage == "asked" ? StyledText("no answer", .yellow) : StyledText("-")
        case (false, _): StyledText("refused", .red)
        case (true, true): StyledText("done", .green)
        case (true, _): StyledText("unchanged")
        }
    }
}

package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller freeze --list`
package enum FreezeTable {
    package static func lines(_ freezes: [FreezeStatus], now: Date, width: Int?) -> [StyledText] {
        var table = TextTable("NUMBER", "WHOM", "UNTIL", "BY", "WHY")
        for freeze in freezes {
            table.add(
                StyledText("\(freeze.id)"),
                StyledText(freeze.selection),
                StyledText(TimeText.until(freeze.until, now: now)),
                StyledText(freeze.by),
                StyledText(freeze.why)
            )
        }
        return table.lines(width: width)
    }

    /// Above or below what else is shown.
    static func remarks(_ freezes: [FreezeStatus], now: Date) -> [StyledText] {
        freezes.map { freeze in
            StyledText("frozen: ", .yellow)
                + StyledText(
                    "\(freeze.selection), until \(TimeText.clock(freeze.until, now: now)), by \(freeze.by) "
                        + "(\(freeze.why)); `controller unfreeze \(freeze.id)` ends it"
                )
        }
    }
}

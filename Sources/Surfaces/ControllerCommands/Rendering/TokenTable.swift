import ControllerAPI
import ControllerWords
import Foundation

/// `controller token list`: by name.
enum TokenTable {
    static func lines(_ tokens: [TokenStatus], now: Date, width: Int?) -> [StyledText] {
        guard !tokens.isEmpty else { return [StyledText("no tokens")] }
        var table = TextTable("ID", "NAME", "MAY", "EXPIRES", "USED", "MADE BY")
        for token in tokens {
            table.add(
                StyledText(token.id),
                StyledText(token.name),
                StyledText(token.grants.map(\.description).joined(separator: "; ")),
                StyledText(TimeText.clock(token.expires, now: now)),
                StyledText(token.lastUsed.map { "\(TimeText.age(of: $0, now: now)) ago" } ?? "-"),
                StyledText(token.createdBy)
            )
        }
        return table.lines(width: width)
    }
}

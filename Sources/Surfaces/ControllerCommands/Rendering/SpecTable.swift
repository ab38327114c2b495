import ControllerAPI

/// Where each value of a manifest comes from, for people.
enum SpecTable {
    static func lines(_ values: [SpecStatus.Value], width: Int?) -> [StyledText] {
        var table = TextTable("FIELD", "VALUE", "FROM")
        for value in values {
            let isBuiltIn = value.origin == "default"
            table.add(
                StyledText(value.field),
                StyledText(value.value).truncated(to: Self.widest),
                StyledText(value.origin, isBuiltIn ? .dim : .plain)
            )
        }
        return table.lines(width: width)
    }

    /// A query or a list is not shown to its end: where it comes from must be seen beside it.
    private static let widest = 60
}

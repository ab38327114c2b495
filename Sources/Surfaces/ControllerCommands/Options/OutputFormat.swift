import ArgumentParser

/// Who reads the output: people or programs.
package enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, yaml

    /// Writes a value of the API for programs, or lets `table` draw it for people.
    package func print(
        _ value: some Encodable,
        on console: Console,
        table: () -> [StyledText]
    ) throws {
        switch self {
        case .table: try console.print(table())
        case .json: try console.output(try JSONText.render(value))
        case .yaml: try console.output(YAMLText.render(try JSONText.tree(of: value)))
        }
    }
}

package import ArgumentParser

/// Whose audit is read.
package struct AuditSourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read this file (a backup, or audit.sqlite of a controller that does not run), without a controller.",
            valueName: "path"
        ),
        completion: .file()
    )
    package var file: String?

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    func reading(_ console: Console) throws -> AuditReading {
        if let file = self.file { return try console.openAudit(file) }
        return AuditReading(try self.connection.client(console))
    }
}

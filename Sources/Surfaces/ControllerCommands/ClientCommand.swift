package import ArgumentParser

/// A command of the client: it does its work on a console that it is given, so that tests can give it theirs.
package protocol ClientCommand: AsyncParsableCommand {
    /// - Throws: A `CommandFailure`.
    func run(on console: Console) async throws
}

extension ClientCommand {
    package func run() async throws {
        try await self.run(on: .live())
    }
}

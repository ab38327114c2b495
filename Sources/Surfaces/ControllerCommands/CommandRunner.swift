package import ArgumentParser
import ControllerAPI

/// Runs a command line and says with which status the program ends.
///
/// ArgumentParser's own `main()` ends with 64 when the command line is wrong; this program promises 2.
package enum CommandRunner {
    /// The arguments come without the program's name; nothing means those of this process. What it returns is the
    /// exit status.
    @concurrent
    package static func run(
        _ root: any ParsableCommand.Type,
        arguments: [String]? = nil,
        console: Console = .live()
    ) async -> Int32 {
        do {
            let command = try await Self.parse(root, arguments)
            try await Self.run(command, console: console)
            return 0
        } catch let failure as CommandFailure {
            return Self.report(failure, console: console)
        } catch let error as ControllerClientError {
            return Self.report(CommandFailure(error), console: console)
        } catch is CancellationError {
            return CommandFailure.Code.refused.rawValue
        } catch {
            return Self.report(error, root: root, console: console)
        }
    }

    /// Completing a word may have to ask the daemon, which takes an asynchronous root.
    @concurrent
    private static func parse(_ root: any ParsableCommand.Type, _ arguments: [String]?) async throws
        -> any ParsableCommand
    {
        guard let root = root as? any AsyncParsableCommand.Type else { return try root.parseAsRoot(arguments) }
        return try await root.asyncParseAsRoot(arguments)
    }

    /// Concurrent, as ArgumentParser's `run()` is: commands are not sendable.
    @concurrent
    private static func run(_ command: any ParsableCommand, console: Console) async throws {
        switch command {
        case let command as any ClientCommand:
            try await command.run(on: console)
        case var command as any AsyncParsableCommand:
            try await command.run()
        case var command:
            try command.run()
        }
    }

    private static func report(_ failure: CommandFailure, console: Console) -> Int32 {
        if !failure.message.isEmpty {
            console.tell(StyledText("error: ", .red) + StyledText(failure.message))
        }
        return failure.code.rawValue
    }

    /// Help and the version are results; everything else that the parser throws is about the command line, unless
    /// the command itself chose an exit status.
    private static func report(_ error: any Error, root: any ParsableCommand.Type, console: Console) -> Int32 {
        let status = root.exitCode(for: error)
        let message = root.fullMessage(for: error)
        if status.isSuccess {
            do {
                try console.output(message + (message.hasSuffix("\n") ? "" : "\n"))
            } catch {
                return CommandFailure.Code.refused.rawValue
            }
            return 0
        }
        if !message.isEmpty { console.remark(message + (message.hasSuffix("\n") ? "" : "\n")) }
        return status == .validationFailure ? CommandFailure.Code.usage.rawValue : status.rawValue
    }
}

import ArgumentParser
import ControllerCommands
import Foundation
import Testing

@Suite("The command line's documentation")
struct DocumentationTests {
    static let commands = ClientCommands.all.map { $0.configuration.commandName ?? "" }

    private func help(_ command: String) throws -> String {
        let type = try #require(ClientCommands.all.first { $0.configuration.commandName == command })
        return type.helpMessage()
    }

    @Test(arguments: Self.commands)
    func `docs name every command and every option`(command: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/reference/cli.md"), encoding: .utf8)
        #expect(text.contains("`\(command)`") || text.contains("controller \(command) "), "\(command)")
        for match in try self.help(command).matches(of: /--[a-z-]+/) where match.output != "--version" {
            #expect(text.contains(match.output), "\(match.output) of \(command)")
        }
    }

    @Test(arguments: Self.commands.filter { $0 != "undo" })
    func `every command's help has an example`(command: String) throws {
        let help = try self.help(command)
        #expect(help.contains("EXAMPLES"))
        #expect(help.contains("controller \(command) "))
    }
}

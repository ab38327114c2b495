import ArgumentParser
import ControllerCommands
import Deployments
import Foundation
import Persistence
import Reconciliation

struct BackupCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the journal into one file, while the controller runs or not.",
        discussion: """
            The journal is what cannot be had again: which revision is stable, what is in quarantine, who paused what,
            and all that happened. Models and git are fetched anew. The copy is checked, and is there only once it is
            whole. docs/operating/full-disk.md says how it is restored.

            EXAMPLES
              controller backup /backup/controller-$(date +%F).sqlite
              controller backup --check /backup/controller-2026-12-01.sqlite
              controller backup --state-directory /srv/controller /backup/now.sqlite
            """
    )

    @Argument(help: ArgumentHelp("The file to write; it must not be there yet.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "Where the journal is. Default: CONTROLLER_STATE_DIRECTORY, or /var/lib/controller.",
            valueName: "path"
        ),
        completion: .directory
    )
    var stateDirectory: String?

    @Flag(help: "Write nothing: say what a backup holds, and whether all of it can be read.")
    var check = false

    func run(on console: Console) async throws {
        let summary: JournalBackup.Summary
        do throws(JournalError) {
            summary = self.check ? try JournalBackup.check(self.file) : try self.write(console)
        } catch {
            throw CommandFailure(code: .refused, message: error.message)
        }
        let size = (Double(summary.bytes) / 1_048_576).formatted(.number.precision(.fractionLength(1)))
        let newest = summary.newest.map { ", the newest of \($0.rfc3339)" } ?? ""
        let what = "\(summary.deployments) deployments and \(summary.events) events\(newest)"
        try console.print(StyledText("\(self.file) holds \(what) (\(size) MiB)"))
    }

    private func write(_ console: Console) throws(JournalError) -> JournalBackup.Summary {
        let fromEnvironment = console.environment["CONTROLLER_STATE_DIRECTORY", default: ""]
        let state = self.stateDirectory ?? (fromEnvironment.isEmpty ? "/var/lib/controller" : fromEnvironment)
        return try JournalBackup.write(from: "\(state)/journal.sqlite", to: self.file)
    }
}

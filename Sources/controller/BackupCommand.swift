import ArgumentParser
import Audits
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
            whole. The audit is copied beside it, to the same name with .audit after it.
            docs/operating/full-disk.md says how both are restored.

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
        try self.backUpAudit(console)
    }

    private var auditFile: String { "\(self.file).audit" }

    /// After the journal, so that what that holds was audited.
    private func backUpAudit(_ console: Console) throws {
        let progress: AuditProgress
        do throws(AuditError) {
            if self.check {
                guard FileManager.default.fileExists(atPath: self.auditFile) else {
                    return console.tell("no audit is beside it: \(self.auditFile) is not there")
                }
                progress = try AuditFile(path: self.auditFile).check()
            } else {
                let audit = "\(self.state(console))/audit.sqlite"
                guard FileManager.default.fileExists(atPath: audit) else {
                    return console.tell("there is no audit yet: \(audit) is not there")
                }
                progress = try AuditBackup.write(from: audit, to: self.auditFile)
            }
        } catch {
            throw CommandFailure(code: .refused, message: error.message)
        }
        if let finding = progress.finding {
            throw CommandFailure(code: .refused, message: "\(self.auditFile): \(finding.message)")
        }
        let what = progress.count == 1 ? "entry" : "entries"
        try console.print(StyledText("\(self.auditFile) holds \(progress.count) \(what), head \(progress.head)"))
    }

    private func state(_ console: Console) -> String {
        let fromEnvironment = console.environment["CONTROLLER_STATE_DIRECTORY", default: ""]
        return self.stateDirectory ?? (fromEnvironment.isEmpty ? "/var/lib/controller" : fromEnvironment)
    }

    private func write(_ console: Console) throws(JournalError) -> JournalBackup.Summary {
        try JournalBackup.write(from: "\(self.state(console))/journal.sqlite", to: self.file)
    }
}

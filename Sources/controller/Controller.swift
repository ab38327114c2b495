import ArgumentParser
import ControllerCommands
import Deployments
import Git
import Glibc
import Persistence
import Reconciliation

@main
struct Controller: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "controller",
        abstract: "Deploys machine-learning models from git: gradually, judged, and back by itself.",
        discussion: """
            A team merges a change to a ModelDeployment manifest. The controller starts the new model beside the old
            one, moves traffic in steps while it judges, and promotes it or takes the traffic back.

            EXAMPLES
              controller run --config /etc/controller/controller.yaml
              controller status file-type --watch
              controller rollback file-type --why "wrong labels for PDF"
              controller validate deployments/
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, DoctorCommand.self, BackupCommand.self, SupportBundleCommand.self, OpenCommand.self,
        ] + ClientCommands.all
    )

    /// ArgumentParser's own `main()` knows neither this program's exit statuses nor its errors.
    static func main() async {
        var console = Console.live(
            openJournal: { path, deployment in
                let file = try JournalFile(path: path)
                return { try await file.chapter(after: $0, of: deployment)?.lines }
            },
            readRevision: { revision, folder in
                do throws(SourceError) {
                    let read = try LocalRevision.read(revision, at: ".", folder: folder)
                    return Console.Revision(commit: read.origin.commit, subject: read.origin.subject, files: read.files)
                } catch {
                    throw CommandFailure(code: .usage, message: error.message)
                }
            },
            fetchPullRequest: { number, branch, remote in
                do throws(SourceError) {
                    let request = try await LocalRevision.pullRequest(number, into: branch, of: remote, at: ".")
                    return (request.base, request.head)
                } catch {
                    throw CommandFailure(code: .usage, message: error.message)
                }
            }
        )
        console.openAudit = { try AuditReading(file: $0) }
        Glibc.exit(await CommandRunner.run(Self.self, console: console))
    }
}

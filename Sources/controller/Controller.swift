import ArgumentParser
import ControllerCommands
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
        subcommands: [RunCommand.self] + ClientCommands.all
    )

    /// ArgumentParser's own `main()` knows neither this program's exit statuses nor its errors.
    static func main() async {
        let console = Console.live { path, deployment in
            let file = try JournalFile(path: path)
            return { try await file.chapter(after: $0, of: deployment)?.lines }
        }
        Glibc.exit(await CommandRunner.run(Self.self, console: console))
    }
}

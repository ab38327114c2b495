package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation

package struct PauseCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop progress: no new rollout, no more traffic for the canary, no promotion.",
        discussion: """
            Safety goes on: a breach still rolls back, and a dead replica is still replaced. Deployments that git
            brings later are not paused by --all or a label.

            EXAMPLES
              controller pause search/file-type --for 30m --why "looking at latency"
              controller pause search/file-type search/embedder --why "incident 4711"
              controller pause --selector team=search --why "their feature store is down"
              controller pause --all --for 2h --why "incident 4711"
            """
    )

    @OptionGroup
    package var options: SelectionOptions

    @Option(name: .customLong("for"), help: ArgumentHelp("Resume by itself after: 45s, 30m, 1h30m.", valueName: "time"))
    package var time: DurationArgument?

    package init() {}

    package func run(on console: Console) async throws {
        let until = self.time.map { console.now().addingTimeInterval($0.duration.inSeconds) }
        try await self.options.send(
            BatchRequest(verb: .pause, until: until, selection: DeploymentSelection()),
            on: console,
            asksWhy: true
        )
    }
}

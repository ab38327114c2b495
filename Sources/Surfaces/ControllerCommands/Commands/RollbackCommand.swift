package import ArgumentParser
import ControllerAPI

package struct RollbackCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Take the traffic back at once and quarantine the revision.",
        discussion: """
            Without --to, to the revision that served before. With --to, to any revision of the history, which then
            stays until git says otherwise. It works while git, metrics or the platform are down.

            With --revert, the controller also puts the manifest back in git, if nobody changed it since: on a branch
            to be merged, for which --pull-request opens a pull request, or with --push on the watched branch, where
            `reverts` of the repository allows it. The traffic does not wait for that.

            EXAMPLES
              controller rollback search/file-type --why "wrong labels since 14:00"
              controller rollback search/file-type --to 5f2c81aa90
              controller rollback search/file-type --revert --why "wrong labels since 14:00"
              controller rollback search/file-type --revert --pull-request --why "wrong labels since 14:00"
            """
    )

    @OptionGroup
    package var options: RollbackOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(on: console)
    }
}

/// Another word for `rollback`, for hands that know kubectl. It is not in the help.
package struct UndoCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "The same as rollback.",
        shouldDisplay: false
    )

    @OptionGroup
    package var options: RollbackOptions

    package init() {}

    package func run(on console: Console) async throws {
        try await self.options.send(on: console)
    }
}

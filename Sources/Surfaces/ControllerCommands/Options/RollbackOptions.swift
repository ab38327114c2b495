package import ArgumentParser
import ControllerAPI
import Deployments

/// What `rollback` and its synonym take.
package struct RollbackOptions: ParsableArguments {
    @OptionGroup
    package var command: CommandOptions

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("A revision's digest or its beginning, at least 4 digits.", valueName: "rev")
    )
    package var revision: String?

    @Flag(help: "Put the manifest back in git, too: with a commit on a branch of its own, for people to merge.")
    package var revert = false

    @Flag(help: "With --revert: open a pull request for that branch, too, where the controller may.")
    package var pullRequest = false

    @Flag(help: "With --revert: with a commit on the watched branch itself, where the controller may push there.")
    package var push = false

    package init() {}

    package func validate() throws {
        if self.push, !self.revert {
            throw ValidationError("--push says where a revert goes: add --revert.")
        }
        if self.pullRequest, !self.revert {
            throw ValidationError("--pull-request says where a revert goes: add --revert.")
        }
        if self.pullRequest, self.push {
            throw ValidationError(
                "--pull-request and --push exclude each other: a pull request is for people to merge."
            )
        }
        guard let revision = self.revision else { return }
        guard revision.wholeMatch(of: /[0-9a-f]{4,64}/) != nil else {
            throw ValidationError(
                "--to takes a revision's digest or its beginning, at least 4 of 0-9 and a-f; `controller status` and "
                    + "`controller history` show them."
            )
        }
    }

    func send(on console: Console) async throws {
        let request = OperatorRequest(
            verb: .rollback,
            to: self.revision,
            revert: self.revert ? (self.push ? .push : self.pullRequest ? .pullRequest : .branch) : nil
        )
        try await self.command.send(request, on: console, asksWhy: true)
    }
}

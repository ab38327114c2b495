package import ArgumentParser
package import ControllerAPI
import Deployments

/// What every command that acts has: whom it acts on, why, and where the controller is.
package struct CommandOptions: ParsableArguments {
    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Option(
        help: ArgumentHelp(
            "The reason. Everybody who looks at the deployment and its history sees it.",
            valueName: "text"
        )
    )
    package var why: String = ""

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    /// Sends the command and prints what it changed.
    ///
    /// With `asksWhy` it reminds whoever gave no reason that others will want one. A refusal is thrown.
    package func send(_ request: OperatorRequest, on console: Console, asksWhy: Bool = false) async throws {
        var request = request
        request.why = self.why
        // Only what sudo says about the person behind it; the server asks the kernel for the rest.
        request.by = console.environment["SUDO_USER", default: ""]
        let answer: OperatorAnswer
        do {
            answer = try await self.connection.client(console).command(self.name.id, request)
        } catch {
            throw CommandFailure(error)
        }
        guard answer.accepted else { throw CommandFailure(code: .refused, message: answer.message) }
        try console.print(StyledText(answer.message))
        if asksWhy, self.why.isEmpty, answer.changed {
            console.tell("hint: say why with --why \"…\"; whoever looks at \(self.name.id) next will ask")
        }
    }
}

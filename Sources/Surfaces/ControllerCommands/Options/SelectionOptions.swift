package import ArgumentParser
package import ControllerAPI
import Deployments

/// Whom `pause` and `resume` act on, why, and where the controller is.
package struct SelectionOptions: ParsableArguments {
    @Argument(help: "The deployments: namespace/name, or name in the namespace default.")
    package var names: [DeploymentArgument] = []

    @Option(name: [.short, .long], help: "All deployments of this namespace.")
    package var namespace: String?

    @Option(
        name: [.short, .customLong("selector")],
        help: ArgumentHelp("All deployments with these labels: team=search,tier=gold.", valueName: "labels")
    )
    package var labels: LabelsArgument?

    @Flag(help: "All deployments.")
    package var all = false

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

    package func validate() throws {
        guard !self.selection.isMeant else { return }
        throw ValidationError(
            self.all
                ? "--all means everybody: leave out names, --namespace and --selector, or leave out --all."
                : "Name deployments, or select them with --namespace, --selector or --all."
        )
    }

    private var selection: DeploymentSelection {
        DeploymentSelection(
            names: self.names.isEmpty ? nil : self.names.map(\.id.description),
            namespace: self.namespace,
            labels: self.labels?.labels,
            all: self.all ? true : nil
        )
    }

    /// The only one that is named, where nothing else selects.
    private var only: DeploymentID? {
        self.names.count == 1 && self.namespace == nil && self.labels == nil ? self.names[0].id : nil
    }

    /// Sends the command and prints what it changed; of many, what became of each that did not become what was asked.
    ///
    /// With `asksWhy` it reminds whoever gave no reason that others will want one. A refusal is thrown.
    package func send(_ request: BatchRequest, on console: Console, asksWhy: Bool = false) async throws {
        if let only = self.only { return try await self.send(request, to: only, on: console, asksWhy: asksWhy) }
        var request = request
        request.selection = self.selection
        request.why = self.why
        // Only what sudo says about the person behind it; the server asks the kernel for the rest.
        request.by = console.environment["SUDO_USER", default: ""]
        let answer: BatchAnswer
        do {
            answer = try await self.connection.client(console).command(request)
        } catch {
            throw CommandFailure(error)
        }
        let answers = answer.answers
        if let within = answer.within {
            console.tell("you may \(request.verb.rawValue) in \(within.joined(separator: ", ")) only")
        }
        let missing = Set(self.names.map(\.id.description)).subtracting(answers.map(\.deployment))
        if !missing.isEmpty, self.namespace == nil, self.labels == nil {
            console.tell("error: there is no deployment \(missing.sorted().joined(separator: ", "))")
        } else if answers.isEmpty {
            throw CommandFailure(code: .refused, message: "no deployment is selected: look at `controller get`")
        }
        for answer in answers where !answer.accepted { console.tell("error: \(answer.deployment): \(answer.message)") }
        let (changed, refused) = (answers.count(where: \.changed), answers.count { !$0.accepted })
        let done = request.verb == .pause ? "paused" : "resumed"
        let same = answers.count - changed - refused
        let rest = same > 0 ? ", \(same) already \(request.verb == .pause ? "were" : "went on")" : ""
        try console.print(StyledText("\(changed) of \(answers.count) deployments \(done)\(rest)"))
        if asksWhy, self.why.isEmpty, changed > 0 {
            console.tell("hint: say why with --why \"…\"; whoever looks at them next will ask")
        }
        // What went wrong was told.
        if refused > 0 || !missing.isEmpty { throw CommandFailure(code: .refused, message: "") }
    }

    private func send(
        _ request: BatchRequest,
        to id: DeploymentID,
        on console: Console,
        asksWhy: Bool
    ) async throws {
        var options = CommandOptions()
        options.name = DeploymentArgument(id)
        options.why = self.why
        options.connection = self.connection
        let verb: OperatorRequest.Verb = request.verb == .pause ? .pause : .resume
        try await options.send(OperatorRequest(verb: verb, until: request.until), on: console, asksWhy: asksWhy)
    }
}

package import ArgumentParser
import ControllerAPI
import ControllerWords
import Foundation

package struct TokenCreateCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. It is printed once, and never again.",
        discussion: """
            A role is viewer, operator or admin. A verb is one of view, pause, resume, promote, abort, rollback,
            retry, prune, force (past a failed gate), promote-model, feedback, freeze, notify, audit, tokens. Whoever
            may act somewhere may look there, too.

            EXAMPLES
              controller token create dashboard --role viewer --for 8760h
              controller token create on-call --verb pause --verb rollback --for 720h
              controller token create search-ci --role operator --namespace search --output json
            """
    )

    @Argument(help: "Who or what has it: letters, digits and ._@-")
    package var name: String

    @Option(help: "viewer, operator or admin.")
    package var role: String?

    @Option(name: .customLong("verb"), help: ArgumentHelp("May be repeated.", valueName: "verb"))
    package var verbs: [String] = []

    @Option(name: [.short, .customLong("namespace")], help: "Only there; may be repeated. Default: everywhere.")
    package var namespaces: [String] = []

    @Option(name: .customLong("for"), help: ArgumentHelp("How long it lives: 24h, 720h.", valueName: "time"))
    package var time = DurationArgument(seconds: 90 * 24 * 3600)

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func validate() throws {
        guard self.role != nil || !self.verbs.isEmpty else {
            throw ValidationError("Say what it may: --role viewer, operator or admin, or --verb pause.")
        }
        _ = try self.grant
        if let problem = try self.request.problem { throw ValidationError("\(problem).") }
    }

    private var grant: Grant {
        get throws {
            let role = try self.role.map { name in
                guard let role = Role(rawValue: name) else {
                    throw ValidationError("\(name) is no role: there are viewer, operator and admin.")
                }
                return role
            }
            let verbs = try self.verbs.map { name in
                guard let verb = AccessVerb(rawValue: name) else {
                    let known = AccessVerb.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("\(name) is no verb: there are \(known).")
                }
                return verb
            }
            return Grant(role: role, verbs: verbs, namespaces: self.namespaces.isEmpty ? nil : self.namespaces)
        }
    }

    private var request: TokenRequest {
        get throws {
            TokenRequest(
                name: self.name,
                grants: [try self.grant],
                lifetime: Int(self.time.duration.components.seconds)
            )
        }
    }

    package func run(on console: Console) async throws {
        let answer: TokenAnswer
        do {
            answer = try await self.connection.client(console).create(try self.request)
        } catch {
            throw CommandFailure(error)
        }
        try self.output.print(answer, on: console) { [StyledText(answer.token)] }
        let status = answer.status
        console.tell(
            StyledText(
                "\(status.name) may \(status.grants.map(\.description).joined(separator: "; ")) until "
                    + "\(TimeText.clock(status.expires, now: console.now())); revoke it with "
                    + "`controller token revoke \(status.id)`"
            )
        )
    }
}

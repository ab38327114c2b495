package import ArgumentParser

package struct TokenCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and revoke tokens for those who ask over the network.",
        discussion: """
            EXAMPLES
              controller token create on-call --verb pause --verb rollback --for 720h
              controller token list
              controller token revoke 4be1c07f92
            """,
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self]
    )

    package init() {}
}

package import Deployments
package import Foundation

/// What an operator asks of one deployment.
package struct OperatorRequest: Codable, Hashable, Sendable {
    package var verb: Verb
    /// Who asks. The server replaces it by the user that the kernel names as the socket's peer; of what the client
    /// said only the person behind a `sudo` is kept, in brackets.
    package var by: String
    package var why: String
    /// `pause`: when it ends by itself.
    package var until: Date?
    /// `rollback --to`: a revision's digest or the beginning of it, at least 4 digits.
    package var to: String?
    /// `promote --full`: pass every remaining step.
    package var full: Bool
    /// `promote --force`: also past a failed gate; audited.
    package var force: Bool
    /// `rollback`: the manifest is put back in git, too.
    package var revert: RevertMode?

    package enum Verb: String, Codable, Hashable, Sendable, CaseIterable {
        /// `prune` confirms that a manifest that is gone from git is meant to be.
        case pause, resume, promote, abort, rollback, retry, prune
    }

    package init(
        verb: Verb,
        by: String = "",
        why: String = "",
        until: Date? = nil,
        to: String? = nil,
        full: Bool = false,
        force: Bool = false,
        revert: RevertMode? = nil
    ) {
        self.verb = verb
        self.by = by
        self.why = why
        self.until = until
        self.to = to
        self.full = full
        self.force = force
        self.revert = revert
    }
}

extension OperatorRequest {
    /// Only the verb is required, so that a command can be written by hand.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            verb: try container.decode(Verb.self, forKey: .verb),
            by: try container.decodeIfPresent(String.self, forKey: .by) ?? "",
            why: try container.decodeIfPresent(String.self, forKey: .why) ?? "",
            until: try container.decodeIfPresent(Date.self, forKey: .until),
            to: try container.decodeIfPresent(String.self, forKey: .to),
            full: try container.decodeIfPresent(Bool.self, forKey: .full) ?? false,
            force: try container.decodeIfPresent(Bool.self, forKey: .force) ?? false,
            revert: try container.decodeIfPresent(RevertMode.self, forKey: .revert)
        )
    }
}

/// What a command changed.
package struct OperatorAnswer: Codable, Hashable, Sendable {
    /// False when the command was refused; `message` then says why and what to do.
    package var accepted: Bool
    /// False when the world already was as the command wants it.
    package var changed: Bool
    package var message: String

    package init(accepted: Bool, changed: Bool, message: String) {
        self.accepted = accepted
        self.changed = changed
        self.message = message
    }
}

/// The state of one watched repository.
package struct SourceStatus: Codable, Hashable, Sendable {
    package var repository: String
    package var branch: String
    package var commit: String?
    package var lastPolled: Date?
    /// Why the last poll failed; the last good snapshot stands.
    package var problem: String?
    /// Diagnostics that concern no single deployment.
    package var diagnostics: [String]
    /// What git could not be told yet, and why.
    package var undelivered: [String]?
    /// What became of the newest revert.
    package var lastRevert: String?
    /// Nothing when it takes no webhooks.
    package var webhook: WebhookStatus?

    package init(
        repository: String,
        branch: String,
        commit: String?,
        lastPolled: Date?,
        problem: String?,
        diagnostics: [String],
        undelivered: [String]? = nil,
        lastRevert: String? = nil,
        webhook: WebhookStatus? = nil
    ) {
        self.repository = repository
        self.branch = branch
        self.commit = commit
        self.lastPolled = lastPolled
        self.problem = problem
        self.diagnostics = diagnostics
        self.undelivered = undelivered
        self.lastRevert = lastRevert
        self.webhook = webhook
    }
}

/// All deployments and sources at one moment.
package struct FleetStatus: Codable, Hashable, Sendable {
    package var time: Date
    package var deployments: [DeploymentStatus]
    package var sources: [SourceStatus]
    /// Deployments that the router serves and of which nothing is known, as the journal was lost and git could not be
    /// read since; nothing in place of none.
    package var unknown: [String]?
    /// Those who are told of what happens; nothing in place of none.
    package var receivers: [ReceiverStatus]?
    /// Which configuration is in effect, and why a newer one is not.
    package var configuration: ConfigurationStatus?
    /// The freezes of operators that stand; nothing in place of none.
    package var freezes: [FreezeStatus]?

    package init(time: Date, deployments: [DeploymentStatus], sources: [SourceStatus], unknown: [String]? = nil) {
        self.time = time
        self.deployments = deployments
        self.sources = sources
        self.unknown = unknown
    }
}

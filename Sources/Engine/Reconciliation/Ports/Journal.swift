package import Decisions
package import Deployments
package import Rollouts

/// Where decisions are written before they are acted upon.
package protocol Journal: Sendable {
    /// All that was last recorded.
    func load() async throws(JournalError) -> JournalContents

    /// Writes the whole record, or nothing of it.
    func append(_ record: JournalRecord) async throws(JournalError)

    /// The newest `limit` transitions of a deployment, or of all, oldest first.
    func history(of deployment: DeploymentID?, limit: Int) async throws(JournalError) -> [JournaledTransition]

    /// The first chapter of decisions with a higher number than `number`, of a deployment or of all.
    func chapter(after number: Int64, of deployment: DeploymentID?) async throws(JournalError) -> DecisionChapter?

    /// Forgets an outbox item that was delivered.
    func settle(_ item: OutboxItem) async throws(JournalError)
}

package struct JournalContents: Sendable {
    package var members: [DeploymentID: Member]
    package var outbox: [OutboxItem]

    package init(members: [DeploymentID: Member] = [:], outbox: [OutboxItem] = []) {
        self.members = members
        self.outbox = outbox
    }
}

/// A deployment's decision, and what follows from it once and only once.
package struct JournalRecord: Hashable, Sendable {
    package var deployment: DeploymentID
    package var time: Timestamp
    /// Nothing when the deployment is gone for good.
    package var member: Member?
    package var transitions: [Transition]
    package var outbox: [OutboxItem]
    /// What was decided, with all that it was decided on; nothing when nothing was.
    package var decision: Decision?

    package init(
        deployment: DeploymentID,
        time: Timestamp,
        member: Member?,
        transitions: [Transition],
        outbox: [OutboxItem],
        decision: Decision? = nil
    ) {
        self.deployment = deployment
        self.time = time
        self.member = member
        self.transitions = transitions
        self.outbox = outbox
        self.decision = decision
    }
}

/// Decisions that follow each other, from a whole rollout on: so many that they can be replayed by themselves.
package struct DecisionChapter: Hashable, Sendable {
    package var number: Int64
    package var decisions: Int
    /// As they stand in an export.
    package var lines: [UInt8]

    package init(number: Int64, decisions: Int, lines: [UInt8]) {
        self.number = number
        self.decisions = decisions
        self.lines = lines
    }
}

/// What is kept of one deployment over a restart.
package struct Member: Hashable, Codable, Sendable {
    /// A rollout is large, and a member is copied several times in a decision.
    private var life: Life
    /// What was last asked of the router, so that a restart asks for nothing else.
    package private(set) var traffic: Traffic
    /// When something else than before was last asked of it.
    package private(set) var askedSince: Timestamp?
    /// The repository whose manifest the deployment is.
    package var repository: String?
    /// Why its manifest, which is gone, may only go by an operator's word: a later commit must not make one forget.
    package var heldRemoval: String?
    /// The models that were proposed to git for it.
    package var proposals: ModelProposals?

    package init(rollout: Rollout, traffic: Traffic = Traffic(), repository: String? = nil) {
        self.life = Life(rollout)
        self.traffic = traffic
        self.repository = repository
    }

    package var rollout: Rollout {
        _read { yield self.life.rollout }
        set { self.life = Life(newValue) }
    }

    private enum CodingKeys: String, CodingKey {
        case life = "rollout"
        case traffic, askedSince, repository, heldRemoval, proposals
    }

    /// Shared between copies of a member, and written as the rollout that it holds.
    private final class Life: Hashable, Codable, Sendable {
        let rollout: Rollout

        init(_ rollout: Rollout) {
            self.rollout = rollout
        }

        init(from decoder: any Decoder) throws {
            self.rollout = try Rollout(from: decoder)
        }

        func encode(to encoder: any Encoder) throws {
            try self.rollout.encode(to: encoder)
        }

        static func == (left: Life, right: Life) -> Bool { left === right || left.rollout == right.rollout }

        func hash(into hasher: inout Hasher) {
            hasher.combine(self.rollout)
        }
    }

    package var asked: AskedTraffic? { self.askedSince.map { AskedTraffic(self.traffic, since: $0) } }

    /// What the router serves is left to it as long as it was asked for nothing: after a lost journal, the look that
    /// first showed the deployment may have come too early to show its traffic.
    package mutating func adopt(_ served: Traffic) {
        if self.askedSince == nil, !served.isEmpty { self.traffic = served }
    }

    package mutating func ask(for traffic: Traffic, at now: Timestamp) {
        guard traffic != self.traffic || self.askedSince == nil else { return }
        self.traffic = traffic
        self.askedSince = now
    }
}

package struct JournaledTransition: Hashable, Codable, Sendable {
    package var deployment: DeploymentID
    package var transition: Transition

    package init(deployment: DeploymentID, transition: Transition) {
        self.deployment = deployment
        self.transition = transition
    }
}

/// Something that git is to be told, at least once; the key makes a second time harmless.
package struct OutboxItem: Hashable, Codable, Sendable {
    /// Unique: the deployment, the commit, and what git is told of it.
    package var id: String
    package var repository: String
    package var commit: String
    /// The deployment's name: one entry per deployment in a commit's note, the latest wins.
    package var key: String
    /// JSON; empty when something else is to be done.
    package var note: String
    /// A manifest to put back, in place of a note.
    package var revert: ManifestRevert?
    /// What the forge is to show, in place of a note.
    package var news: ForgeNews?
    /// Another version of a model to propose, in place of a note.
    package var promotion: ModelPromotion?
    /// What a receiver of notifications is told, in place of a note.
    package var notice: Notice?
    /// Its name, where there is a notice.
    package var receiver: String?

    package init(
        id: String,
        repository: String,
        commit: String,
        key: String,
        note: String,
        revert: ManifestRevert? = nil,
        news: ForgeNews? = nil,
        promotion: ModelPromotion? = nil,
        notice: Notice? = nil,
        receiver: String? = nil
    ) {
        self.id = id
        self.repository = repository
        self.commit = commit
        self.key = key
        self.note = note
        self.revert = revert
        self.news = news
        self.promotion = promotion
        self.notice = notice
        self.receiver = receiver
    }

    /// Whether it is a commit to be written, and no note.
    package var isCommit: Bool { self.revert != nil || self.promotion != nil }
}

package struct JournalError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable { case diskFull, corrupt, newerVersion, unavailable }

    package var code: Code
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}

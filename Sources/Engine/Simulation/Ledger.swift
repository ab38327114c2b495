import Deployments
import Reconciliation
import Rollouts

/// The journal's file: what outlives the controller.
struct Ledger: Sendable {
    private(set) var contents = JournalContents()
    private(set) var transitions: [JournaledTransition] = []
    /// All that was ever to be told to git, oldest first.
    private(set) var issued: [OutboxItem] = []
    private var doubtful: Set<String> = []
    /// The last write of these failed: they may act upon a rollback all the same.
    var failing: Set<DeploymentID> = []
    /// Those of operators.
    var freezes = FreezeBook()
    /// Every record, when asked for.
    var records: [JournalRecord]?

    mutating func append(_ record: JournalRecord) {
        self.contents.members[record.deployment] = record.member
        for item in record.outbox where !self.contents.outbox.contains(where: { $0.id == item.id }) {
            self.contents.outbox.append(item)
            self.issued.append(item)
        }
        for transition in record.transitions {
            self.transitions.append(JournaledTransition(deployment: record.deployment, transition: transition))
        }
        self.records?.append(record)
    }

    /// The controller does not know of the record.
    mutating func doubt(_ record: JournalRecord) {
        self.doubtful.formUnion(record.outbox.map(\.id))
    }

    /// - Returns: Whether it may be forgotten: git was told, or it came of a decision that was not acted upon.
    mutating func settle(_ item: OutboxItem, wasTold: Bool) -> Bool {
        self.contents.outbox.removeAll { $0.id == item.id }
        if wasTold { return true }
        self.issued.removeAll { $0.id == item.id }
        return self.doubtful.contains(item.id)
    }

    mutating func lose() {
        self.contents = JournalContents()
        self.issued = []
        self.failing = []
    }

    func member(_ id: DeploymentID) -> Member? { self.contents.members[id] }
}

/// What git was told: the notes on its commits, and which manifests are to be put back.
struct NoteBook: Sendable {
    struct Place: Hashable, Sendable {
        var repository: String
        var commit: String
        var key: String

        init(repository: String, commit: String, key: String) {
            self.repository = repository
            self.commit = commit
            self.key = key
        }

        init(_ item: OutboxItem) {
            self.repository = item.repository
            self.commit = item.commit
            self.key = item.key
        }
    }

    /// The latest wins.
    private(set) var visible: [Place: String] = [:]
    private var told: [Place: Set<String>] = [:]

    mutating func write(_ note: String, at place: Place) {
        self.visible[place] = note
        self.told[place, default: []].insert(note)
    }

    private var reverts: Set<ManifestRevert> = []

    mutating func write(_ revert: ManifestRevert) { self.reverts.insert(revert) }

    func wasTold(_ item: OutboxItem) -> Bool {
        if let revert = item.revert { return self.reverts.contains(revert) }
        return self.told[Place(item)]?.contains(item.note) ?? false
    }
}

import Deployments
import Reconciliation
import Rollouts
import Synchronization

/// Controllers with one thing broken on purpose between the core and the ports.
enum ShellDefect: String, CaseIterable, Sendable {
    /// Decisions reach the journal only with the next one.
    case actsBeforeJournaling
    case losesTheOutboxOnRestart
    case forgetsTheQuarantineOnRestart
    case deletesWithoutGrace
    case neverTellsGit
    case tellsGitTwoThings

    func rewire(_ ports: Reconciler.Ports) -> Reconciler.Ports {
        var ports = ports
        switch self {
        case .actsBeforeJournaling, .losesTheOutboxOnRestart, .forgetsTheQuarantineOnRestart:
            ports.journal = BrokenJournal(defect: self, journal: ports.journal)
        case .deletesWithoutGrace:
            for index in ports.sources.indices { ports.sources[index].deletion.grace = .zero }
        case .neverTellsGit, .tellsGitTwoThings:
            for index in ports.sources.indices {
                ports.sources[index].port = BrokenSource(defect: self, source: ports.sources[index].port)
            }
        }
        return ports
    }
}

private final class BrokenJournal: Journal {
    let defect: ShellDefect
    let journal: any Journal
    private let held = Mutex<JournalRecord?>(nil)

    init(defect: ShellDefect, journal: any Journal) {
        self.defect = defect
        self.journal = journal
    }

    func load() async throws(JournalError) -> JournalContents {
        var contents = try await self.journal.load()
        if self.defect == .losesTheOutboxOnRestart { contents.outbox = [] }
        if self.defect == .forgetsTheQuarantineOnRestart {
            for id in contents.members.keys { contents.members[id]?.rollout.quarantine = [:] }
        }
        return contents
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        guard self.defect == .actsBeforeJournaling else { return try await self.journal.append(record) }
        let last = self.held.withLock { held in
            defer { held = record }
            return held
        }
        if let last { try await self.journal.append(last) }
    }

    func history(of deployment: DeploymentID?, limit: Int) async throws(JournalError) -> [JournaledTransition] {
        try await self.journal.history(of: deployment, limit: limit)
    }

    func chapter(after number: Int64, of deployment: DeploymentID?) async throws(JournalError) -> DecisionChapter? {
        try await self.journal.chapter(after: number, of: deployment)
    }

    func settle(_ item: OutboxItem) async throws(JournalError) {
        try await self.journal.settle(item)
    }
}

private struct BrokenSource: ManifestSource {
    let defect: ShellDefect
    let source: any ManifestSource

    var name: String { self.source.name }

    func poll() async throws(SourceError) -> SourceSnapshot? {
        try await self.source.poll()
    }

    func acknowledge(commit: String) async throws(SourceError) {
        try await self.source.acknowledge(commit: commit)
    }

    func annotate(commit: String, key: String, note: String) async throws(SourceError) {
        if self.defect == .neverTellsGit { return }
        try await self.source.annotate(commit: commit, key: key, note: note)
        try await self.source.annotate(commit: commit, key: key, note: "and so on")
    }

    func revert(_ revert: ManifestRevert, of deployment: DeploymentID) async throws(SourceError) -> RevertResult {
        try await self.source.revert(revert, of: deployment)
    }
}

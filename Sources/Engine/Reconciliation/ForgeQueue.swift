import Deployments
import Synchronization

/// What one forge is to be told: the newest of each thing, each at its time.
///
/// What the forge refuses is tried again later, and keeps nothing else from being told. When it is the forge that does
/// not answer, all wait.
final class ForgeQueue: Sendable {
    /// Something to be told.
    struct Errand: Hashable, Sendable {
        var item: OutboxItem
        /// The branch that was written for the item, where it is a commit: what remains is its pull request.
        var proposal: BranchProposal?
        /// What was done of it, in words.
        var done = ""
    }

    private struct Entry {
        var errand: Errand
        var due: ContinuousClock.Instant
        var wait = ForgeQueue.firstWait
        /// Something newer of the same place came while it was being told.
        var isOvertaken = false
    }

    private struct State {
        var entries: [Entry] = []
        var inFlight: String?
        var pausedUntil = ContinuousClock.now
        var pause = ForgeQueue.firstWait
    }

    private let state = Mutex(State())
    let bell = Bell()

    private static let firstWait = Duration.seconds(1)
    private static let longestPause = Duration.minutes(5)
    /// A refusal lasts until somebody does something about it; each try counts against the forge's limits.
    private static let longestWait = Duration.minutes(30)
    /// What a forge may ask for at most: GitHub's limits are by the hour.
    private static let longestAskedWait = Duration.hours(1)

    /// - Returns: Those that are not to be told any more, as this is newer.
    func post(_ errand: Errand) -> [OutboxItem] {
        let overtaken = self.state.withLock { state -> [OutboxItem] in
            var overtaken: [OutboxItem] = []
            if let place = Place(errand.item) {
                for index in state.entries.indices.reversed() where Place(state.entries[index].errand.item) == place {
                    if state.entries[index].errand.item.id == state.inFlight {
                        state.entries[index].isOvertaken = true
                    } else {
                        overtaken.append(state.entries.remove(at: index).errand.item)
                    }
                }
            }
            state.entries.append(Entry(errand: errand, due: .now))
            return overtaken
        }
        _ = self.bell.ring()
        return overtaken
    }

    /// What is to be told now; nothing before ``rest(at:)``.
    func next(at now: ContinuousClock.Instant) -> Errand? {
        self.state.withLock { state in
            guard state.pausedUntil <= now, let entry = state.entries.first(where: { $0.due <= now }) else {
                return nil
            }
            state.inFlight = entry.errand.item.id
            return entry.errand
        }
    }

    /// How long there is nothing to do.
    func rest(at now: ContinuousClock.Instant) -> Duration {
        self.state.withLock { state in
            guard let due = state.entries.map(\.due).min() else { return .hours(24) }
            return max(.zero, max(due, state.pausedUntil) - now)
        }
    }

    /// It is told.
    func finish(_ errand: Errand) {
        self.state.withLock { state in
            state.entries.removeAll { $0.errand.item.id == errand.item.id }
            state.inFlight = nil
            state.pause = Self.firstWait
        }
    }

    /// It is to be told later.
    ///
    /// - Returns: False when it is not to be told any more, as something newer came.
    func postpone(_ errand: Errand, because error: SourceError, at now: ContinuousClock.Instant) -> Bool {
        self.state.withLock { state in
            state.inFlight = nil
            guard let index = state.entries.firstIndex(where: { $0.errand.item.id == errand.item.id }) else {
                return false
            }
            if error.concernsAll {
                var wait = state.pause
                if case .wait(let asked) = error.recovery { wait = max(wait, min(asked, Self.longestAskedWait)) }
                state.pausedUntil = now + wait
                state.pause = min(state.pause * 2, Self.longestPause)
            }
            if state.entries[index].isOvertaken {
                state.entries.remove(at: index)
                return false
            }
            if error.concernsAll {
                // Behind the others: what looks like the forge's trouble may be this one's.
                state.entries.append(state.entries.remove(at: index))
            } else {
                state.entries[index].due = now + state.entries[index].wait
                state.entries[index].wait = min(state.entries[index].wait * 2, Self.longestWait)
            }
            return true
        }
    }

    /// What is shown in one place of a forge: the newest takes the place of the others.
    private struct Place: Hashable {
        var topic: ForgeTopic
        var commit: String
        var key: String

        init?(_ item: OutboxItem) {
            guard let news = item.news else { return nil }
            self.topic = news.topic
            self.commit = item.commit
            self.key = item.key
        }
    }
}

extension SourceError {
    /// Whether others would be answered the same: only what is refused by itself leaves room for the rest.
    fileprivate var concernsAll: Bool { self.code != .refused || self.recovery != .needsOperator }
}

import Deployments
import Synchronization

/// What one receiver is to be told: events that belong together as one message, each at its time.
///
/// A receiver that is away for long fills neither memory nor disk: what is too much or too old is dropped, of the least
/// severity and the oldest first, counted, and the receiver is told how many.
final class NoticeQueue: Sendable {
    /// Events that are told as one.
    struct Message: Hashable, Sendable {
        /// Oldest first; each holds a notice.
        var items: [OutboxItem]
        /// How many were dropped before it.
        var leftOut: Int

        var content: NoticeMessage {
            NoticeMessage(notices: self.items.compactMap(\.notice), leftOut: self.leftOut)
        }
    }

    fileprivate struct Group {
        var key: [String]
        var items: [OutboxItem]
        var due: ContinuousClock.Instant
        /// A message that was tried stays what it is: the receiver may have it already.
        var isTried = false
    }

    fileprivate struct State {
        var groups: [Group] = []
        var isInFlight = false
        /// Dropped, and the receiver does not know it yet.
        var untold = 0
        var pausedUntil: ContinuousClock.Instant?
        var pause = NoticeQueue.firstWait
        var account: ReceiverState
    }

    private let state: Mutex<State>
    let bell = Bell()
    private let routes: NoticeRoutes
    private let receiver: String
    private let isGrouping: Bool

    /// Some hundred kilobytes of journal.
    static let limit = 1000
    /// Who comes back after a weekend learns what happened; what is older helps nobody any more.
    static let maxAge: Duration = .hours(72)
    /// A message with more would say nothing more.
    static let groupLimit = 200
    static let firstWait = Duration.seconds(1)
    static let longestWait = Duration.minutes(5)
    /// What a receiver may ask for at most.
    static let longestAskedWait = Duration.hours(1)

    init(_ receiver: String, isGrouping: Bool, routes: NoticeRoutes) {
        self.receiver = receiver
        self.isGrouping = isGrouping
        self.routes = routes
        self.state = Mutex(State(account: ReceiverState(name: receiver)))
    }

    var account: ReceiverState {
        self.state.withLock { state in
            var account = state.account
            account.waiting = state.groups.reduce(0) { $0 + $1.items.count }
            return account
        }
    }

    /// - Returns: Those that are not to be told any more, as there are too many.
    func post(_ item: OutboxItem, at now: ContinuousClock.Instant) -> [OutboxItem] {
        guard let notice = item.notice else { return [item] }
        let route = self.routes.route(of: notice, to: self.receiver)
        let key = self.isGrouping ? route?.group(of: notice) ?? [notice.id] : [notice.id]
        let dropped = self.state.withLock { state -> [OutboxItem] in
            let open = state.groups.firstIndex {
                $0.key == key && !$0.isTried && $0.items.count < Self.groupLimit
            }
            if let open {
                // Posted twice when the journal was read while it was being told.
                if !state.groups[open].items.contains(where: { $0.id == item.id }) {
                    state.groups[open].items.append(item)
                }
            } else {
                let wait = self.isGrouping ? route?.groupWait ?? .zero : .zero
                state.groups.append(Group(key: key, items: [item], due: now + wait))
            }
            return state.makeRoom()
        }
        _ = self.bell.ring()
        return dropped
    }

    /// The message that is due now; nothing before ``rest(at:)``.
    ///
    /// - Parameters:
    ///   - now: For what is due.
    ///   - time: For what is too old.
    /// - Returns: Beside it what is not to be told any more.
    func next(at now: ContinuousClock.Instant, time: Timestamp) -> (message: Message?, dropped: [OutboxItem]) {
        self.state.withLock { state in
            let dropped = state.dropOld(at: time)
            guard state.pausedUntil.map({ $0 <= now }) ?? true,
                let index = state.groups.indices.filter({ state.groups[$0].due <= now })
                    .min(by: { state.groups[$0].due < state.groups[$1].due })
            else { return (nil, dropped) }
            // In the first place, where no drop takes it from.
            state.groups.insert(state.groups.remove(at: index), at: 0)
            state.groups[0].isTried = true
            state.isInFlight = true
            return (Message(items: state.groups[0].items, leftOut: state.untold), dropped)
        }
    }

    /// How long there is nothing to do.
    func rest(at now: ContinuousClock.Instant) -> Duration {
        self.state.withLock { state in
            guard let due = state.groups.map(\.due).min() else { return .hours(24) }
            return max(.zero, max(due, state.pausedUntil ?? due) - now)
        }
    }

    /// It is told.
    func finish(_ message: Message, at time: Timestamp) {
        self.state.withLock { state in
            state.groups.removeFirst()
            state.isInFlight = false
            state.untold -= message.leftOut
            state.pause = Self.firstWait
            state.account.note(delivered: message.items.count, at: time)
        }
    }

    /// It will never be taken.
    func giveUp(_ message: Message, because error: NotificationError, at time: Timestamp) {
        self.state.withLock { state in
            state.groups.removeFirst()
            state.isInFlight = false
            state.account.refused += message.items.count
            state.account.note(problem: "\(error)", at: time)
        }
    }

    /// It is to be told later.
    ///
    /// - Parameters:
    ///   - error: May ask for a longer wait.
    ///   - factor: About 1: many controllers must not all come back in the same moment.
    ///   - now: From when on it waits.
    ///   - time: The same, for people.
    func postpone(
        because error: NotificationError,
        factor: Double,
        at now: ContinuousClock.Instant,
        time: Timestamp
    ) {
        self.state.withLock { state in
            state.isInFlight = false
            var wait = state.pause * factor
            if case .wait(let asked) = error.recovery { wait = max(wait, min(asked, Self.longestAskedWait)) }
            state.pausedUntil = now + wait
            // Behind the others: what looks like the receiver's trouble may be this message's.
            state.groups[0].due = now + wait
            state.pause = min(state.pause * 2, Self.longestWait)
            state.account.note(problem: "\(error)", at: time)
        }
    }
}

extension NoticeQueue.State {
    fileprivate mutating func makeRoom() -> [OutboxItem] {
        var dropped: [OutboxItem] = []
        var count = self.groups.reduce(0) { $0 + $1.items.count }
        while count > NoticeQueue.limit, let (group, item) = self.leastWanted() {
            dropped.append(self.groups[group].items.remove(at: item))
            if self.groups[group].items.isEmpty { self.groups.remove(at: group) }
            count -= 1
        }
        self.note(leftOut: dropped.count)
        return dropped
    }

    /// The oldest of those with the least severity, but for what is on its way.
    private func leastWanted() -> (group: Int, item: Int)? {
        var found: (group: Int, item: Int, severity: Notice.Severity, time: Timestamp)?
        for (group, candidate) in self.groups.enumerated() where !self.isInFlight || group > 0 {
            for (item, entry) in candidate.items.enumerated() {
                guard let notice = entry.notice else { continue }
                if let best = found, (best.severity, best.time) <= (notice.severity, notice.time) { continue }
                found = (group, item, notice.severity, notice.time)
            }
        }
        return found.map { ($0.group, $0.item) }
    }

    fileprivate mutating func dropOld(at time: Timestamp) -> [OutboxItem] {
        guard !self.isInFlight else { return [] }
        var dropped: [OutboxItem] = []
        for index in self.groups.indices {
            self.groups[index].items.removeAll { item in
                guard let notice = item.notice, time - notice.time > NoticeQueue.maxAge else { return false }
                dropped.append(item)
                return true
            }
        }
        self.groups.removeAll(where: \.items.isEmpty)
        self.note(leftOut: dropped.count)
        return dropped
    }

    private mutating func note(leftOut count: Int) {
        self.untold += count
        self.account.leftOut += count
    }
}

import ControllerAPI
import Deployments
import Foundation
import Logging
import NIOCore
import Synchronization

/// Tells everybody who watches what changes: one look at the fleet for all of them, while there are any.
final class Watchers: Sendable {
    let limits: Limits
    private let look: @Sendable () async -> FleetView
    private let events: @Sendable (Int64?, String?, Int) async throws -> [EventStatus]
    private let logger: Logger
    private let state: Mutex<State>
    /// Rung by who comes while nobody watches.
    private let bells: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation

    private struct State {
        var board: ChangeBoard
        var watchers: [Int: Watcher] = [:]
        var number = 0
        /// Whether somebody watched when the fleet was last looked at.
        var isCurrent = false
        var isOver = false
    }

    private struct Watcher {
        var scope: WatchScope
        var signal: AsyncStream<Void>.Continuation
        var hasBegun = false
        var writesSince: ContinuousClock.Instant?
        var cut: @Sendable () -> Void
    }

    /// - Parameters:
    ///   - limits: How many may watch, and how patient it is with them.
    ///   - look: The newest view.
    ///   - events: As ``APIServer`` has it.
    ///   - logger: Gets why events cannot be read.
    init(
        limits: Limits = .ofThisProcess,
        look: @escaping @Sendable () async -> FleetView,
        events: @escaping @Sendable (Int64?, String?, Int) async throws -> [EventStatus],
        logger: Logger
    ) {
        self.limits = limits
        self.look = look
        self.events = events
        self.logger = logger
        self.state = Mutex(State(board: ChangeBoard(start: String(UInt64.random(in: 0...UInt64.max), radix: 36))))
        (self.bells, self.bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: - Those who watch

    /// A place among them, given back when nobody holds it any more.
    final class Ticket: Sendable {
        let scope: WatchScope
        /// Each asks to look whether there is news; they end when nobody is to watch any longer.
        let signals: AsyncStream<Void>
        fileprivate let number: Int
        private let watchers: Watchers

        fileprivate init(_ number: Int, _ scope: WatchScope, _ signals: AsyncStream<Void>, of watchers: Watchers) {
            self.number = number
            self.scope = scope
            self.signals = signals
            self.watchers = watchers
        }

        deinit { self.watchers.leave(self.number) }
    }

    /// Takes in somebody whose connection `cut` ends when nothing is read.
    ///
    /// - Returns: Nothing when there are too many, or the controller ends.
    func join(_ scope: WatchScope, cut: @escaping @Sendable () -> Void) -> Ticket? {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number: Int? = self.state.withLock { state in
            guard !state.isOver, state.watchers.count < self.limits.watchers else { return nil }
            state.number += 1
            state.watchers[state.number] = Watcher(scope: scope, signal: signal, hasBegun: state.isCurrent, cut: cut)
            if state.isCurrent { signal.yield() }
            return state.number
        }
        guard let number else { return nil }
        self.bell.yield()
        return Ticket(number, scope, signals, of: self)
    }

    var count: Int { self.state.withLock { $0.watchers.count } }

    private func leave(_ number: Int) {
        let watcher = self.state.withLock { $0.watchers.removeValue(forKey: number) }
        watcher?.signal.finish()
    }

    /// The other end is gone.
    func dismiss(_ ticket: Ticket) {
        self.state.withLock { $0.watchers[ticket.number]?.signal.finish() }
    }

    func read(_ reader: inout ChangeBoard.Reader, _ ticket: Ticket) throws -> ChangeBoard.Reading {
        // Taken out, so that what it holds is shared and the lock is held for no longer than that.
        let board = self.state.withLock { $0.board }
        return try board.read(&reader, of: ticket.scope, bytes: self.limits.bytes)
    }

    /// Events that are not kept here any more, at most some hundred.
    func readJournal(_ reader: inout ChangeBoard.Reader, after number: Int64, _ ticket: Ticket) async throws
        -> [ByteBuffer]
    {
        let newest = self.state.withLock { $0.board.event } ?? number
        let page = try await self.events(number, ticket.scope.namespace, Self.page)
        let known = try page.map { try ChangeBoard.Happening($0) }.filter { $0.number <= newest }
        // Newer ones will come by the board.
        reader.place.event = known.count < Self.page ? newest : known.last?.number ?? newest
        return known.filter { ticket.scope.contains($0.deployment) }.map(\.message)
    }

    private static let page = 200

    func note(writing isWriting: Bool, _ ticket: Ticket) {
        let now = isWriting ? ContinuousClock.now : nil
        self.state.withLock { $0.watchers[ticket.number]?.writesSince = now }
    }

    // MARK: - The one who tells them

    /// Until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.lookForNews() }
            group.addTask { await self.keepOrder() }
        }
    }

    /// Ends all streams, so that the server can end.
    func end() {
        let signals = self.state.withLock { state in
            state.isOver = true
            return state.watchers.values.map(\.signal)
        }
        for signal in signals { signal.finish() }
    }

    private func lookForNews() async {
        var bells = self.bells.makeAsyncIterator()
        var version: UInt64?
        while !Task.isCancelled {
            let isWatched = self.state.withLock { state in
                state.isCurrent = state.isCurrent && !state.watchers.isEmpty
                return !state.watchers.isEmpty
            }
            guard isWatched else {
                guard await bells.next() != nil else { return }
                continue
            }
            let start = ContinuousClock.now
            version = await self.tellNews(since: version)
            // As the loop does with its snapshots: at most a tenth of the time.
            let pause = max(self.limits.pause, (ContinuousClock.now - start) * 9)
            guard await Self.sleep(pause) else { return }
        }
    }

    /// - Returns: The version that was looked at.
    private func tellNews(since version: UInt64?) async -> UInt64 {
        let view = await self.look()
        var news: [(id: DeploymentID, summary: DeploymentSummary, message: ByteBuffer)] = []
        var gone: [DeploymentID] = []
        if view.version != version { (news, gone) = await self.compare(view) }
        let (events, newest) = await self.readEvents()
        let touched = Set(news.map(\.id) + gone + events.map(\.deployment))
        let namespaces = Set(touched.map(\.namespace))
        self.state.withLock { state in
            if let newest { state.board.take(events, newest: newest) }
            if view.version != version { state.board.take(news, gone: gone, names: view.names) }
            state.isCurrent = true
            for (number, watcher) in state.watchers {
                let isConcerned =
                    switch watcher.scope {
                    case .fleet: !touched.isEmpty
                    case .namespace(let namespace): namespaces.contains(namespace)
                    case .namespaces(let own): !own.isDisjoint(with: namespaces)
                    case .deployment(let id): touched.contains(id)
                    }
                guard isConcerned || !watcher.hasBegun else { continue }
                state.watchers[number]?.hasBegun = true
                watcher.signal.yield()
            }
        }
        return view.version
    }

    private func compare(
        _ view: FleetView
    ) async -> (news: [(id: DeploymentID, summary: DeploymentSummary, message: ByteBuffer)], gone: [DeploymentID]) {
        let board = self.state.withLock { $0.board }
        var news: [(id: DeploymentID, summary: DeploymentSummary, message: ByteBuffer)] = []
        for (count, id) in view.names.enumerated() {
            // Others may want the thread.
            if count % 64 == 63 { await Task.yield() }
            guard let summary = view.summary(id), board.isNews(summary, of: id) else { continue }
            do {
                news.append((id, summary, try ServerSentEvent.message("deployment", summary)))
            } catch {
                self.logger.error("deployment cannot be told of", metadata: ["error": "\(error)"])
            }
        }
        return (news, board.missing(in: view.names))
    }

    /// - Returns: Those after the last, and the newest's number; nothing when the journal cannot be read.
    private func readEvents() async -> (events: [ChangeBoard.Happening], newest: Int64?) {
        do {
            guard let last = self.state.withLock({ $0.board.event }) else {
                return ([], try await self.events(nil, nil, 1).last?.id ?? 0)
            }
            // The rest at the next look.
            let events = try await self.events(last, nil, APIRoute.historyLimit).filter { $0.id ?? 0 > last }
            return (try events.map { try ChangeBoard.Happening($0) }, events.last?.id ?? last)
        } catch {
            self.logger.warning("events cannot be told", metadata: ["error": "\(error)"])
            return ([], nil)
        }
    }

    /// Signs of life, and an end for those who do not read.
    private func keepOrder() async {
        var beat = ContinuousClock.now
        while await Self.sleep(min(.seconds(1), self.limits.lastPatience, self.limits.beat)) {
            let now = ContinuousClock.now
            let isBeat = now - beat >= self.limits.beat
            if isBeat { beat = now }
            let stuck = self.state.withLock { state in
                let patience = state.isOver ? self.limits.lastPatience : self.limits.patience
                if isBeat { for watcher in state.watchers.values where watcher.hasBegun { watcher.signal.yield() } }
                return state.watchers.values.filter { $0.writesSince.map { now - $0 >= patience } ?? false }
            }
            for watcher in stuck { watcher.cut() }
        }
    }

    /// - Returns: False when the task was cancelled.
    private static func sleep(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }
}

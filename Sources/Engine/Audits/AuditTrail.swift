package import Deployments
package import Logging
import ServiceLifecycle
import Synchronization

/// Writes the audit: in the order in which things happened, and so that a disk which cannot take it holds nobody up
/// for longer than that one allows.
///
/// What cannot be written is kept in memory, tried again, and says when it was written. What does not fit into memory
/// is counted, and the count is written in its place.
package final class AuditTrail: Service {
    /// What becomes of what was handed over.
    package enum Receipt: Hashable, Sendable {
        case written
        /// In memory only, as the disk did not take it, or not in time.
        case kept
        /// Not even that.
        case lost
    }

    /// For metrics.
    package struct Account: Hashable, Sendable {
        /// Since the start.
        package var written = 0
        package var unwritten = 0
        package var lost = 0
        /// Why the last write failed.
        package var problem: String?
        package var head = AuditPlace.beginning

        package init(written: Int = 0) {
            self.written = written
        }
    }

    fileprivate struct Pending {
        var drafts: [AuditDraft]
        var isLate = false
        let waiter: AsyncStream<Receipt>.Continuation
    }

    fileprivate struct State {
        var account = Account()
        var queue: [Pending] = []
        /// Lost since the last that was written.
        var gap: Gap?
    }

    fileprivate struct Gap {
        var count: Int
        var from: Timestamp
        var until: Timestamp
    }

    private enum Wake { case rung, due, ended }

    package let store: any AuditStore
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let retry: Duration
    private let limit: Int
    private let state = Mutex(State())
    private let bell: AsyncStream<Wake>
    private let ringer: AsyncStream<Wake>.Continuation

    /// Entries that memory holds, and one request more: some tens of megabytes if each is as large as it can be.
    package static let memoryLimit = 5000
    /// What is written later than that is marked as late.
    fileprivate static let promptly: Duration = .seconds(1)
    /// Entries of one write.
    private static let batch = 500
    private static let retention: Duration = .hours(1)
    private static let announcement: Duration = .hours(24)

    package init(
        store: any AuditStore,
        logger: Logger,
        retry: Duration = .seconds(5),
        limit: Int = AuditTrail.memoryLimit,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.logger = logger
        self.now = now
        self.retry = retry
        self.limit = limit
        (self.bell, self.ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package var account: Account { self.state.withLock { $0.account } }

    /// The time that goes into entries.
    package var time: Timestamp { self.now() }

    /// Hands entries over, to be written one after the other, and waits for that, but no longer than `patience`.
    package func write(_ drafts: [AuditDraft], atMost patience: Duration) async -> Receipt {
        let (receipts, waiter) = AsyncStream.makeStream(of: Receipt.self)
        guard self.enqueue(Pending(drafts: drafts, waiter: waiter)) else { return .lost }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled when there was a receipt before.
                try? await Task.sleep(for: patience)
                waiter.finish()
            }
            var receipt = Receipt.kept
            for await news in receipts { receipt = news }
            group.cancelAll()
            return receipt
        }
    }

    /// Hands entries over without waiting.
    package func note(_ drafts: [AuditDraft]) {
        let (_, waiter) = AsyncStream.makeStream(of: Receipt.self)
        _ = self.enqueue(Pending(drafts: drafts, waiter: waiter))
    }

    private func enqueue(_ pending: Pending) -> Bool {
        let now = self.now()
        let isTaken = self.state.withLock { state in
            let count = pending.drafts.count
            // A request of thousands of deployments is not torn apart.
            guard state.account.unwritten < self.limit else {
                state.account.lost += count
                state.gap = Gap(
                    count: (state.gap?.count ?? 0) + count,
                    from: state.gap?.from ?? now,
                    until: now
                )
                return false
            }
            state.account.unwritten += count
            state.queue.append(pending)
            return true
        }
        self.ringer.yield(.rung)
        return isTaken
    }

    /// Writes until the service group shuts down, and then what is left.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await self.work()
        } onGracefulShutdown: {
            self.ringer.finish()
        }
    }

    private func work() async {
        await self.announce("audit begins")
        await self.prune()
        let clock = ContinuousClock()
        var (pruned, announced) = (clock.now, clock.now)
        await withDiscardingTaskGroup { group in
            group.addTask {
                // Ends by cancellation.
                while (try? await Task.sleep(for: self.retry)) != nil { self.ringer.yield(.due) }
            }
            for await _ in self.bell {
                await self.flush()
                if clock.now - pruned >= Self.retention {
                    pruned = clock.now
                    await self.prune()
                }
                if clock.now - announced >= Self.announcement {
                    announced = clock.now
                    await self.announce("audit of the day")
                }
            }
            group.cancelAll()
        }
        await self.flush()
        await self.announce("audit ends")
    }

    /// Writes all that waits, until that fails.
    private func flush() async {
        while let batch = self.state.withLock({ $0.batch(of: Self.batch, by: self.now()) }) {
            do {
                let head = try await self.store.append(batch.entries)
                let (receivers, problem) = self.state.withLock { $0.noteWritten(batch, head) }
                if let problem {
                    self.logger.notice("audit is written again", metadata: ["audit.problem": "\(problem)"])
                }
                for receiver in receivers {
                    receiver.yield(.written)
                    receiver.finish()
                }
            } catch {
                let (receivers, isNews) = self.state.withLock { $0.noteFailure(error.message) }
                if isNews {
                    self.logger.error(
                        "audit is not written; it is kept in memory and tried again",
                        metadata: ["error": "\(error)", "audit.unwritten": "\(self.account.unwritten)"]
                    )
                }
                for receiver in receivers {
                    receiver.yield(.kept)
                    receiver.finish()
                }
                return
            }
        }
    }

    private func prune() async {
        do {
            while case let count = try await self.store.prune(at: self.now()), count > 0 {
                self.logger.notice("audit pruned", metadata: ["audit.entries": "\(count)"])
            }
        } catch {
            self.logger.warning("audit not pruned", metadata: ["error": "\(error)"])
        }
    }

    /// Whoever keeps the log elsewhere has something to compare the chain with.
    private func announce(_ message: Logger.Message) async {
        do {
            let head = try await self.store.head()
            self.state.withLock { $0.account.head = head }
            self.logger.notice(message, metadata: ["audit.head": "\(head)"])
        } catch {
            self.logger.error("audit cannot be read", metadata: ["error": "\(error)"])
        }
    }
}

extension AuditTrail.State {
    fileprivate struct Batch {
        var entries: [LateDraft]
        /// How many of the queue's beginning.
        var requests: Int
        var drafts: Int
        var hasGap: Bool
    }

    /// Whole requests, of `limit` entries together if there are several.
    fileprivate func batch(of limit: Int, by now: Timestamp) -> Batch? {
        var batch = Batch(entries: [], requests: 0, drafts: 0, hasGap: false)
        for pending in self.queue {
            guard batch.requests == 0 || batch.drafts + pending.drafts.count <= limit else { break }
            batch.entries += pending.drafts.map { draft in
                LateDraft(draft, written: pending.isLate || now - draft.time > AuditTrail.promptly ? now : nil)
            }
            batch.requests += 1
            batch.drafts += pending.drafts.count
        }
        if batch.requests == self.queue.count, let gap = self.gap {
            batch.hasGap = true
            let draft = AuditDraft(
                time: gap.until,
                caller: .controller,
                action: "audit-gap",
                why: "entries were lost: the disk did not take them, and memory held no more",
                parameters: [
                    "lost": "\(gap.count)", "from": "\(gap.from.milliseconds)", "until": "\(gap.until.milliseconds)",
                ]
            )
            batch.entries.append(LateDraft(draft, written: now))
        }
        return batch.entries.isEmpty ? nil : batch
    }

    /// - Returns: Who waits, and what was the matter before.
    fileprivate mutating func noteWritten(
        _ batch: Batch,
        _ head: AuditPlace
    ) -> ([AsyncStream<AuditTrail.Receipt>.Continuation], String?) {
        let done = self.queue.prefix(batch.requests).map(\.waiter)
        self.queue.removeFirst(batch.requests)
        self.account.unwritten -= batch.drafts
        self.account.written += batch.entries.count
        self.account.head = head
        if batch.hasGap { self.gap = nil }
        let problem = self.account.problem
        self.account.problem = nil
        return (done, problem)
    }

    /// - Returns: Who waits, and whether it worked before.
    fileprivate mutating func noteFailure(_ problem: String) -> ([AsyncStream<AuditTrail.Receipt>.Continuation], Bool) {
        let isNews = self.account.problem == nil
        self.account.problem = problem
        for index in self.queue.indices { self.queue[index].isLate = true }
        return (self.queue.map(\.waiter), isNews)
    }
}

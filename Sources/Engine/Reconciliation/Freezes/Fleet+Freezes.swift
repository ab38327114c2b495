import Deployments
import Logging
import Manifests
import Rollouts

/// What is asked about freezes.
package enum FreezeChange: Hashable, Sendable {
    /// Its number and its beginning are given when it begins.
    case begin(OperatorFreeze)
    case end(Int64, by: String)
}

extension Fleet {
    /// More would be a script that never unfreezes.
    static let freezeLimit = 100
    /// A freeze ends: one that nobody ends is forgotten at the next year's.
    static let longestFreeze: Duration = .hours(366 * 24)

    package mutating func change(_ change: FreezeChange) async -> FreezeReceipt {
        guard let store = self.ports.freezes else {
            return FreezeReceipt(.refused("this controller keeps no freezes"))
        }
        switch change {
        case .begin(let freeze): return await self.begin(freeze, in: store)
        case .end(let number, let name): return await self.end(number, by: name, in: store)
        }
    }

    private mutating func begin(_ wanted: OperatorFreeze, in store: any FreezeStore) async -> FreezeReceipt {
        let now = self.now
        guard wanted.until > now else {
            return FreezeReceipt(.refused("\(wanted.until.utc) is over: name a time that is to come"))
        }
        guard wanted.until - now <= Self.longestFreeze else {
            return FreezeReceipt(.refused("a freeze lasts a year at most: renew it then, or declare a window in git"))
        }
        var book = self.standingFreezes(at: now)
        let same = book.freezes.first {
            $0.namespace == wanted.namespace && $0.labels == wanted.labels && $0.until >= wanted.until
        }
        if let same {
            let words = "freeze \(same.window.name) holds for \(same.selection) until \(same.until.utc) already"
            return FreezeReceipt(.unchanged(words), same)
        }
        guard book.freezes.count < Self.freezeLimit else {
            return FreezeReceipt(.refused("\(Self.freezeLimit) freezes stand: end some with `controller unfreeze`"))
        }
        var freeze = wanted
        freeze.number = book.last + 1
        freeze.since = now
        book.last = freeze.number
        book.freezes.append(freeze)
        if let refusal = await self.keep(book, in: store, "frozen") { return FreezeReceipt(refusal) }
        self.concern(by: freeze)
        self.logger.notice(
            "freeze begins",
            metadata: [
                "freeze.number": "\(freeze.number)", "freeze.selection": "\(freeze.selection)",
                "freeze.until": "\(freeze.until.utc)", "operator": "\(freeze.by)", "reason": "\(freeze.why)",
            ]
        )
        return FreezeReceipt(.done("freeze \(freeze.number): \(freeze.selection) until \(freeze.until.utc)"), freeze)
    }

    private mutating func end(_ number: Int64, by name: String, in store: any FreezeStore) async -> FreezeReceipt {
        var book = self.standingFreezes(at: self.now)
        guard let index = book.freezes.firstIndex(where: { $0.number == number }) else {
            return FreezeReceipt(
                number > 0 && number <= book.last
                    ? .unchanged("freeze \(number) has ended already")
                    : .refused("there is no freeze \(number): `controller freeze --list` shows those that stand")
            )
        }
        let freeze = book.freezes.remove(at: index)
        if let refusal = await self.keep(book, in: store, "unfrozen") { return FreezeReceipt(refusal) }
        self.concern(by: freeze)
        self.logger.notice("freeze ends", metadata: ["freeze.number": "\(number)", "operator": "\(name)"])
        return FreezeReceipt(.done("freeze \(number) has ended: \(freeze.selection)"), freeze)
    }

    private mutating func keep(
        _ book: FreezeBook,
        in store: any FreezeStore,
        _ what: String
    ) async -> CommandAnswer? {
        do {
            try await store.keep(book)
            self.freezes = book
            return nil
        } catch {
            self.logger.error("freezes not journaled", metadata: ["error": "\(error)"])
            return .refused("the journal cannot be written (\(error.message)): nothing was \(what)")
        }
    }

    /// Those that time has not ended.
    func standingFreezes(at now: Timestamp) -> FreezeBook {
        FreezeBook(last: self.freezes.last, freezes: self.freezes.freezes.filter { $0.until > now })
    }

    /// Whom it concerns is decided on at the next look, as nothing has to be done: what is decided before knows it.
    private mutating func concern(by freeze: OperatorFreeze) {
        for (id, member) in self.members {
            let labels = (member.rollout.desired ?? member.rollout.stable)?.labels ?? [:]
            let isHeld = member.rollout.freezes.contains { $0.name == freeze.window.name }
            if isHeld || freeze.selects(id, labels: labels) { self.quiet[id] = nil }
        }
    }

    /// The windows of git and of operators for a deployment.
    ///
    /// - Returns: Nothing when both are as the last decision knew them, as git was not read yet.
    func freezes(of member: Member, _ desired: Desired, at now: Timestamp) -> [FreezeWindow]? {
        let (rollout, declared) = (member.rollout, self.tracker.freezes(of: member.rollout.id))
        let isOperators = { (window: FreezeWindow) in OperatorFreeze.number(ofWindow: window.name) != nil }
        guard !self.freezes.freezes.isEmpty || rollout.freezes.contains(where: isOperators) else { return declared }
        let labels: [String: String] =
            if case .spec(let spec) = desired { spec.labels } else {
                (rollout.desired ?? rollout.stable)?.labels ?? [:]
            }
        let own = self.freezes.freezes.filter { $0.until > now && $0.selects(rollout.id, labels: labels) }
        return (declared ?? rollout.freezes.filter { !isOperators($0) }) + own.map(\.window)
    }
}

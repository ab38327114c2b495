import Deployments

/// A `surge` below 100 percent: whether every step has room for the replicas that its weight takes.
extension RolloutDraft {
    mutating func decode(surge field: Field?, of strategy: Field?) {
        self.surgeSite = field?.site
        guard let field, let percent = field.percentage(in: 0...1000) else { return }
        guard percent > 0 else {
            field.error("without a replica more nothing can be exchanged: use `strategy: recreate`, or `surge: 1%`")
            return
        }
        guard percent <= 100 else {
            field.error("a full second set is the most that is ever started: write `surge: 100%`")
            return
        }
        guard percent == 100 || self.policy.strategy == .canary else {
            let why =
                self.policy.strategy == .recreate
                ? "`recreate` adds no replicas" : "`blueGreen` needs both revisions in full"
            field.conflict(with: strategy, "\(why): remove the surge, or use `strategy: canary`")
            return
        }
        self.policy.surge = percent
    }

    /// Checks the steps for every number of replicas that the deployment may have.
    func checkSurge(replicas: ClosedRange<Int>, noting log: DiagnosticLog) {
        guard self.policy.surge < 100, let surge = self.surgeSite else { return }
        let exchanges = replicas.map { Exchange(stable: $0, canary: $0, surge: self.policy.surge) }
        var last = TrafficWeight.none
        var lastSite = surge
        for (index, step) in self.policy.steps.enumerated() {
            guard case .weight(let weight) = step.action else { continue }
            let site = self.stepSites.indices.contains(index) ? self.stepSites[index] : surge
            if let leap = Leap(from: last, to: weight, exchanges) {
                log.conflict(at: site, with: surge, leap.text(of: self))
            }
            (last, lastSite) = (weight, site)
        }
        if let leap = Leap(from: last, to: .all, exchanges) {
            log.conflict(at: lastSite, with: surge, leap.text(of: self))
        }
        self.checkHoldback(exchanges, at: self.holdbackSite ?? surge, noting: log)
    }

    /// In the bake, the previous revision has no more than what may be added.
    private func checkHoldback(_ exchanges: [Exchange], at site: Site, noting log: DiagnosticLog) {
        let holdback = self.policy.holdback
        let tight = exchanges.first { Exchange.cover(of: $0.stable, at: holdback) > $0.extra }
        guard self.policy.bakeTime > .zero, let tight else { return }
        let need = Exchange.cover(of: tight.stable, at: holdback)
        let most = exchanges.map(\.largestHoldback.percent).min() ?? 0
        log.error(
            at: site,
            "a holdback of \(holdback) takes \(need) of \(tight.stable) replicas, and the surge leaves the previous "
                + "revision \(tight.extra): use at most `holdback: \(most)`, or `surge: \(holdback.percent)%`"
        )
    }
}

/// A step for which there is no room.
private struct Leap {
    let from: TrafficWeight
    let to: TrafficWeight
    /// Where it is the widest.
    let exchange: Exchange
    /// How far a step can go with every number of replicas.
    let reach: TrafficWeight
    /// What would do.
    let surge: Int

    init?(from: TrafficWeight, to: TrafficWeight, _ exchanges: [Exchange]) {
        let short = exchanges.filter { $0.need(at: to) > $0.room(at: from) }
        let surges = short.map { exchange in
            // The smallest that adds so many replicas.
            let extra = exchange.extra + exchange.need(at: to) - exchange.room(at: from)
            return 100 * (extra - 1) / exchange.canary + 1
        }
        guard let exchange = short.first, let surge = surges.max() else { return nil }
        (self.from, self.to, self.exchange, self.surge) = (from, to, exchange, surge)
        self.reach = exchanges.map { $0.reach(from: from) }.min() ?? from
    }

    func text(of draft: RolloutDraft) -> String {
        let (need, room) = (self.exchange.need(at: self.to), self.exchange.room(at: self.from))
        let steps = draft.stepSites.isEmpty ? "the default steps, " : ""
        let state =
            "\(steps)\(self.from) to \(self.to): with \(self.exchange.canary) replicas that takes \(need) of the canary"
            + ", and `surge: \(draft.policy.surge)%` has room for \(room)"
        let fix =
            self.to == .all && !draft.stepSites.isEmpty && self.from > .none
            ? "add a step of at most \(self.reach.percent) after this one"
            : "go to \(self.reach.percent) at most"
        return "\(state): \(fix), or use `surge: \(self.surge)%`"
    }
}

package import Deployments

/// The present number of replicas is that of the rollout's revisions; git's manifest only says its bounds. So whoever
/// reads how many there should be need not know whether that number is fixed.
extension Rollout {
    /// So many replicas, fewer than there are, have been enough since then.
    package struct Surplus: Hashable, Codable, Sendable {
        package var replicas: Int
        /// Without a moment in which more were needed, or in which the need was not known.
        package var since: Timestamp

        package init(replicas: Int, since: Timestamp) {
            self.replicas = replicas
            self.since = since
        }
    }

    /// How many replicas an autoscaled deployment should have by its load and within its bounds.
    ///
    /// - Returns: Nothing when the number is fixed, or the load is not known.
    package func neededReplicas(for requests: Double?) -> Int? {
        guard let autoscaling = self.stable?.autoscaling, let requests else { return nil }
        return autoscaling.clamp(autoscaling.need(for: requests))
    }

    /// Whether the number of replicas may follow the load. In a rollout and its end it is held still, as it would
    /// change what is being compared.
    package var isScalable: Bool {
        switch self.phase {
        case .settled, .baking: true
        case .preparing, .replacing, .stepping, .promoting, .rollingBack, .removing: false
        }
    }

    /// More at once, fewer after a while. No pause and no freeze stops that: it is no progress of a rollout.
    mutating func scale(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard self.isScalable, let stable = self.stable, let autoscaling = stable.autoscaling,
            let load = situation.load, let needed = self.neededReplicas(for: load.requests)
        else {
            // What was not seen may have been a time of much load.
            self.surplus = nil
            return
        }
        let target = Autoscaling.text(autoscaling.targetConcurrency)
        if needed >= stable.replicas {
            self.surplus = nil
            let room = self.room(for: needed, situation)
            guard room.count > stable.replicas else { return }
            let rest = room.count < needed ? "; \(needed) are needed" : ""
            let why = "\(Autoscaling.text(load.requests)) requests in flight, \(target) per replica\(rest)"
            self.resize(to: room.count, why, at: now, into: &outcome)
            return
        }
        let after = autoscaling.scaleDownAfter
        let surplus = self.surplus(after: needed, knownSince: load.knownSince, at: now)
        self.surplus = surplus
        guard let last = surplus.lastIndex(where: { now - $0.since >= after }) else { return }
        let count = surplus[last].replicas
        self.surplus = last + 1 < surplus.count ? Array(surplus[(last + 1)...]) : nil
        let why = "no more were needed for \(after.short), with \(target) requests per replica"
        self.resize(to: count, why, at: now, into: &outcome)
    }

    /// As it is when so many are needed now. It changes only with the need, as every change is journaled.
    ///
    /// What is left from before a time in which the load was not known counts only from that time's end on: no decision
    /// may have been made in it, or none that could be journaled.
    private func surplus(after needed: Int, knownSince: Timestamp, at now: Timestamp) -> [Surplus] {
        var surplus = self.surplus ?? []
        for index in surplus.indices where surplus[index].since < knownSince { surplus[index].since = knownSince }
        var since = now
        while let last = surplus.last, last.replicas <= needed {
            since = last.since
            surplus.removeLast()
        }
        return surplus + [Surplus(replicas: needed, since: since)]
    }

    private mutating func resize(to count: Int, _ why: String, at now: Timestamp, into outcome: inout Outcome) {
        guard let stable = self.stable else { return }
        self.record(.scaled, "scaled from \(stable.replicas) to \(count): \(why)", stable, at: now, into: &outcome)
        self.stable?.replicas = count
        // What is kept for a rollback must be able to take the same load.
        self.previous?.replicas = count
    }

    /// How many of the needed replicas there is room for; the present ones have theirs.
    private func room(for needed: Int, _ situation: Situation) -> (count: Int, lack: String?) {
        guard let capacity = situation.capacity, let stable = self.stable else { return (needed, nil) }
        let own = self.held
        func lack(of count: Int) -> String? {
            var rollout = self
            rollout.stable?.replicas = count
            if let previous = self.previous { rollout.previous?.replicas = max(count, previous.replicas) }
            return capacity.lack(of: rollout.held - own, beside: own)
        }
        var count = max(needed, stable.replicas)
        while count > stable.replicas, lack(of: count) != nil { count -= 1 }
        return (count, lack(of: needed))
    }

    /// Why there are fewer replicas than needed.
    func holdOfScaling(_ situation: Situation) -> Hold? {
        guard self.isScalable, let stable = self.stable,
            let needed = self.neededReplicas(for: situation.load?.requests), needed > stable.replicas
        else { return nil }
        let room = self.room(for: needed, situation)
        guard let lack = room.lack else { return nil }
        return .noRoomToScale(needed: needed, fits: room.count, why: lack)
    }

    // MARK: - Sizes of revisions

    /// What begins with as many replicas as serve already.
    func sized(_ spec: DeploymentSpec) -> DeploymentSpec {
        guard let autoscaling = spec.autoscaling, let stable = self.stable else { return spec }
        let count = autoscaling.clamp(stable.replicas)
        if count == spec.replicas { return spec }
        var spec = spec
        spec.replicas = count
        return spec
    }

    /// Applies in place what a manifest says of the number of replicas; a present one within its bounds stays.
    func size(_ spec: inout DeploymentSpec, as manifest: DeploymentSpec) {
        spec.autoscaling = manifest.autoscaling
        spec.replicas = manifest.autoscaling?.clamp(spec.replicas) ?? manifest.replicas
    }
}

import Deployments
import Logging
import Reconciliation

extension LocalReplicas {
    /// Why a supervisor stopped accompanying a process.
    private enum Turn: Sendable {
        case ended(ProcessExit?)
        case decided(ReplicaHealth.Decision)
        case told
    }

    /// Accompanies a replica until it is forgotten or the task is cancelled.
    func supervise(_ id: ReplicaID) async {
        while !Task.isCancelled, let entry = self.entries[id] {
            switch entry.record.phase {
            case .stopping:
                await self.finish(entry)
            case .failed:
                if entry.process == nil, entry.record.identity == nil {
                    await self.waitForChange(of: entry.record)
                } else if await !self.bury(entry, grace: entry.record.launch.runtime.shutdown.grace) {
                    _ = await pause(for: .seconds(1))
                }
            case .backingOff(let until):
                let remaining = min(until - self.now(), self.configuration.backoff.longest)
                if entry.record.drainingSince != nil {
                    await self.waitForChange(of: entry.record)
                } else if remaining > .zero {
                    await self.waitForChange(of: entry.record, within: remaining)
                } else {
                    await self.launch(entry)
                }
            case .starting, .ready:
                if let process = entry.process {
                    await self.accompany(id, process)
                } else {
                    await self.launch(entry)
                }
            }
        }
    }

    /// Watches and probes a running process until something has to be done about it.
    private func accompany(_ id: ReplicaID, _ process: DetachedProcess) async {
        let turn = await withTaskGroup(of: Turn.self) { group in
            group.addTask { .ended(await process.waitUntilExit()) }
            group.addTask { .decided(await self.checkHealth(of: id)) }
            group.addTask {
                await self.waitForStop(of: id)
                return .told
            }
            let first = await group.next()
            group.cancelAll()
            return first
        }
        guard let entry = self.entries[id], entry.record.phase != .stopping else { return }
        switch turn {
        case .ended(let exit?):
            let tail = self.logFile(of: entry.record).tail(since: entry.record.logStart)
            _ = await self.bury(entry, grace: .zero)
            self.noteCrash(id, tail.isEmpty ? "\(exit)" : "\(exit): \(tail)")
        case .decided(.giveUp(let reason)):
            guard await self.bury(entry, grace: entry.record.launch.runtime.shutdown.grace) else { return }
            let tail = self.logFile(of: entry.record).tail(since: entry.record.logStart)
            self.noteCrash(id, tail.isEmpty ? reason : "\(reason); its log ends: \(tail)")
        case .decided(.fail(let reason)):
            self.noteFailure(id, reason)
        case .ended(nil), .decided, .told, nil:
            // Cancelled, or told to stop.
            return
        }
    }

    /// Ends the process of a replica and everything that it started. What is gone already is no trouble.
    ///
    /// - Returns: Whether nothing of it runs any more.
    private func bury(_ entry: Entry, grace: Duration) async -> Bool {
        guard await self.endProcesses(of: entry, grace: grace) else { return false }
        self.entries[entry.record.id]?.process = nil
        self.note(entry.record.id) { $0.identity = nil }
        return true
    }

    /// Ends a replica that is to stop, and forgets it.
    private func finish(_ entry: Entry) async {
        let id = entry.record.id
        let isGone = await self.endProcesses(of: entry, grace: entry.record.launch.runtime.shutdown.grace)
        guard !Task.isCancelled else { return }
        if isGone {
            do {
                try self.forget(id)
                self.removeFiles(of: entry.record)
                return
            } catch {
                self.log(.error, "A replica's record cannot be deleted", id, ["error": "\(error)"])
            }
        }
        _ = await pause(for: .seconds(1))
    }

    /// - Returns: Whether nothing of the replica runs any more.
    private func endProcesses(of entry: Entry, grace: Duration) async -> Bool {
        let id = entry.record.id
        do {
            if let process = entry.process {
                guard try await process.end(grace: grace) else {
                    if !Task.isCancelled { self.log(.error, "The replica's processes do not end", id) }
                    return false
                }
            }
        } catch {
            self.log(.error, "The replica's processes may not be ended", id, ["error": "\(error)"])
            return false
        }
        // What left the group.
        return await entry.record.marker.killAll()
    }

    /// Starts the process of a replica.
    private func launch(_ entry: Entry) async {
        let (id, record) = (entry.record.id, entry.record)
        // What the last run left behind would hold its port.
        guard await self.endProcesses(of: entry, grace: .zero) else {
            _ = await pause(for: .seconds(1))
            return
        }
        // Told something meanwhile: the supervisor looks again.
        guard self.entries[id]?.record == record else { return }
        do {
            try self.spawn(record)
        } catch {
            switch error.recovery {
            case .needsOperator: self.noteFailure(id, error.message)
            case .retry, .wait: self.noteCrash(id, error.message)
            }
        }
    }

    /// Notes what is about to be started, starts it, notes what was started. The controller may end between any two.
    private func spawn(_ old: ReplicaRecord) throws(PlatformError) {
        var record = old
        let others = self.entries.values.filter { $0.record.id != record.id }.map(\.record.endpoint.port)
        if !PortPool.isFree(record.endpoint.port, host: record.endpoint.host) {
            record.endpoint.port = try self.ports.take(except: Set(others))
        }
        if case .backingOff = record.phase { record.restarts += 1 }
        record.marker = ProcessMarker()
        record.phase = .starting
        record.identity = nil
        record.started = self.now()
        record.wasReady = false
        record.signature = nil
        let log = self.logFile(of: record)
        try self.makeFolders(for: record)
        log.bound()
        record.logStart = log.size
        let request = try self.spawnRequest(for: record)
        try self.update(record.id) { $0 = record }
        let process = try DetachedProcess.spawn(request)
        self.entries[record.id]?.process = process
        self.note(record.id) { $0.identity = process.identity }
        self.log(
            .info,
            "Replica started",
            record.id,
            ["process.pid": "\(process.identity.pid)", "replica.endpoint": "\(record.endpoint)"]
        )
    }

    /// Probes a replica until it has to be ended, or the task is cancelled.
    private func checkHealth(of id: ReplicaID) async -> ReplicaHealth.Decision {
        guard let record = self.entries[id]?.record else { return .carryOn }
        let runtime = record.launch.runtime
        let probe: ReplicaProbe
        do {
            probe = try ReplicaProbe(client: self.client, endpoint: record.endpoint, launch: record.launch)
        } catch {
            return .fail(error.message)
        }
        var health = ReplicaHealth(
            runtime: runtime,
            isReady: record.phase == .ready,
            wasReady: record.wasReady,
            age: record.started.map { max(self.now() - $0, .zero) } ?? .zero,
            at: .now
        )
        let log = self.logFile(of: record)
        while !Task.isCancelled {
            var decision = health.probed(await probe.readiness(), at: .now)
            if decision == .examine {
                let (answer, signature) = await self.examine(record.launch.golden, with: probe, until: health.deadline)
                decision = health.examined(answer, at: .now)
                if decision == .becameReady { self.noteReady(id, signature: signature) }
            }
            guard let record = self.entries[id]?.record, !Task.isCancelled else { break }
            switch decision {
            case .fail: return decision
            // A replica that is being drained ends soon anyway; killing it would cut its last requests.
            case .giveUp where record.drainingSince == nil: return decision
            case .becameUnready(let reason): self.noteUnready(id, reason)
            case .giveUp, .carryOn, .examine, .becameReady: break
            }
            if let since = health.readySince, .now - since >= self.configuration.backoff.forgivenAfter {
                self.note(id) { $0.crashes = 0 }
            }
            log.bound()
            guard await pause(for: runtime.readiness.period) else { break }
        }
        return .carryOn
    }

    /// Reads the metadata and asks every golden prediction.
    private func examine(
        _ golden: [GoldenPrediction],
        with probe: ReplicaProbe,
        until deadline: ReplicaHealth.Instant
    ) async -> (ReplicaProbe.Answer, signature: String?) {
        // The first prediction of a large model can take minutes; but a replica that was ready once has less time.
        func limit() -> Duration { min(max(deadline - .now, .seconds(5)), .minutes(10)) }
        let signature: String?
        switch await probe.signature(within: min(limit(), .seconds(30))) {
        case .known(let known): signature = known
        case .notYet(let reason): return (.notYet(reason), nil)
        }
        for (index, prediction) in golden.enumerated() {
            let answer = await probe.golden(prediction, number: index + 1, within: limit())
            guard answer == .yes else { return (answer, nil) }
        }
        return (.yes, signature)
    }
}

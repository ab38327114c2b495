import Deployments
import Glibc
import Logging
import Reconciliation

extension ContentStore {
    /// Downloads at a time: two keep a slow server from blocking everything, more only share the line.
    private static let maxRunning = 2

    /// Brings artifacts here until the task is cancelled. Call it once.
    package func run() async {
        await self.removeLeftovers()
        await withDiscardingTaskGroup { group in
            var pending: [ArtifactKey] = []
            var running: Set<ArtifactKey> = []
            for await signal in self.signals {
                switch signal {
                case .wanted(let key):
                    if !pending.contains(key), !running.contains(key) { pending.append(key) }
                case .ended(let key):
                    running.remove(key)
                    if let delay = self.delay(of: key) {
                        group.addTask {
                            // Cancelled means that the loop ends as well.
                            try? await Task.sleep(for: delay)
                            self.signal.yield(.wanted(key))
                        }
                    }
                }
                pending.removeAll { !self.isWanted($0) }
                while running.count < Self.maxRunning, let key = self.takeNext(from: &pending, running: running) {
                    running.insert(key)
                    group.addTask {
                        await self.attempt(key)
                        self.signal.yield(.ended(key))
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Two attempts at one URI would share a folder.
    private func takeNext(from pending: inout [ArtifactKey], running: Set<ArtifactKey>) -> ArtifactKey? {
        let busy = Set(running.map(\.uri))
        guard let index = pending.firstIndex(where: { !busy.contains($0.uri) }) else { return nil }
        return pending.remove(at: index)
    }

    /// Whether somebody still waits for it; else it is forgotten.
    private func isWanted(_ key: ArtifactKey) -> Bool {
        guard let fetch = self.fetches[key] else { return false }
        if case .failed = fetch.stage { return false }
        if self.retained.contains(key) { return true }
        if let time = self.lastAsked[key], ContinuousClock.now - time < Self.memory { return true }
        self.fetches[key] = nil
        return false
    }

    /// The pause before the next attempt, if there is to be one.
    private func delay(of key: ArtifactKey) -> Duration? {
        guard let fetch = self.fetches[key], case .waiting = fetch.stage else { return nil }
        return fetch.delay
    }

    // MARK: - One attempt

    private func attempt(_ key: ArtifactKey) async {
        let progress = FetchProgress()
        self.fetches[key]?.stage = .running(progress)
        do throws(ArtifactError) {
            let object = try await self.bring(key, progress: progress)
            self.fetches[key] = nil
            self.objects.touch(object.id)
            self.logger.info(
                "artifact ready",
                metadata: ["artifact.digest": "sha256:\(object.digest)", "artifact.bytes": "\(object.bytes)"]
            )
        } catch {
            await self.record(error, of: key)
        }
    }

    private func bring(_ key: ArtifactKey, progress: FetchProgress) async throws(ArtifactError) -> StoredObject {
        guard key.hasValidDigest else {
            throw ArtifactError(
                code: .badLocation,
                message: "the model's digest is not sha256: and 64 lower-case hexadecimal digits; correct it",
                recovery: .needsOperator
            )
        }
        let location = try ArtifactLocation(key.uri)
        try self.open()
        if let object = self.object(for: key) { return object }

        let uriKey = ArtifactLocation.key(of: key.uri)
        let pin = self.pins[key.pinKey]
        let pinned = pin.map { Acquisition.Expected(digest: $0.digest, source: .pin) }
        let folder = "\(self.configuration.directory)/partial/\(uriKey)"
        let acquisition = Acquisition(
            location: location,
            expected: key.digest.map { Acquisition.Expected(digest: $0, source: .manifest) } ?? pinned,
            configuration: self.configuration,
            registry: self.registry,
            pinnedVersion: pin?.version,
            download: PartialDownload(folder: folder, session: self.session, client: self.client),
            progress: progress
        )
        let staged = try await acquisition.run()
        try await self.makeRoom(for: staged.object, key: key)
        // Pinned first: an artifact without its pin would be fetched again, and could be another one by then.
        let version = location.alias == nil ? nil : staged.version
        if key.digest == nil || version != nil {
            try self.pins.pin(key.pinKey, uri: location.redacted, digest: staged.object.digest, version: version)
        }
        try self.objects.commit(staged)
        try await Folder.remove(folder)
        return staged.object
    }

    private func record(_ error: ArtifactError, of key: ArtifactKey) async {
        guard error.code != .cancelled else {
            self.fetches[key]?.stage = .queued
            return
        }
        var message = error.message
        if error.recovery == .needsOperator {
            let until = ContinuousClock.now + self.configuration.failureExpiry
            self.fetches[key] = Fetch(stage: .failed(message, until: until))
            self.logger.error("artifact failed", metadata: ["reason": "\(message)"])
            return
        }
        if error.code == .storageFull, await self.evictOne(for: key) {
            message += "; an unused artifact was removed"
        }
        var fetch = self.fetches[key] ?? Fetch(stage: .queued)
        fetch.failures += 1
        fetch.delay = self.pause(after: error, failures: fetch.failures)
        fetch.stage = .waiting("\(message); attempt \(fetch.failures + 1) follows in \(fetch.delay.inWholeSeconds) s")
        self.fetches[key] = fetch
        self.logger.warning("artifact fetch is tried again", metadata: ["reason": "\(message)"])
    }

    private func pause(after error: ArtifactError, failures: Int) -> Duration {
        let doubled = self.configuration.retryDelay * (1 << min(failures - 1, 20))
        let delay = min(doubled, self.configuration.maxRetryDelay)
        guard case .wait(let least) = error.recovery else {
            // Spread, so that many controllers do not come back to a server at once.
            return delay * Double.random(in: 0.75...1)
        }
        return max(least, delay)
    }

    // MARK: - Room

    /// Evicts until the limit holds with one more object.
    private func makeRoom(for object: StoredObject, key: ArtifactKey) async throws(ArtifactError) {
        let limit = self.configuration.maxBytes
        let kept = self.keptObjects(except: key)
        guard self.objects.bytes(of: kept) + object.bytes <= limit else {
            throw ArtifactError(
                code: .storageFull,
                message: "\(object.bytes) bytes do not fit beside the \(self.objects.bytes(of: kept)) bytes of models "
                    + "in use: the limit is \(limit); raise artifacts.maxSize or retire a model",
                recovery: .wait(.seconds(30))
            )
        }
        for candidate in self.objects.evictable(except: kept) where self.objects.bytes + object.bytes > limit {
            try self.evict(candidate)
        }
        try await ObjectIndex.emptyTrash(of: self.configuration.directory)
    }

    /// Frees space on a full disk.
    ///
    /// - Returns: Whether there was anything to remove.
    private func evictOne(for key: ArtifactKey) async -> Bool {
        guard let candidate = self.objects.evictable(except: self.keptObjects(except: key)).first else { return false }
        do throws(ArtifactError) {
            try self.evict(candidate)
            try await ObjectIndex.emptyTrash(of: self.configuration.directory)
            return true
        } catch {
            self.logger.warning("eviction failed", metadata: ["reason": "\(error.message)"])
            return false
        }
    }

    private func evict(_ object: StoredObject) throws(ArtifactError) {
        try self.objects.discard(object.id)
        self.logger.info(
            "artifact evicted",
            metadata: ["artifact.digest": "sha256:\(object.digest)", "artifact.bytes": "\(object.bytes)"]
        )
    }

    /// What a crash left: half-deleted objects, and downloads that nobody came back for.
    private func removeLeftovers() async {
        do throws(ArtifactError) {
            try self.open()
            try await ObjectIndex.emptyTrash(of: self.configuration.directory)
            let partial = "\(self.configuration.directory)/partial"
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            for name in try Folder.names(in: partial) {
                let age = Int64(now.tv_sec) - (try FileStatus(of: "\(partial)/\(name)")?.modified ?? 0) / 1_000_000_000
                // A week: longer than any outage that one waits out.
                if age > 7 * 24 * 3600 { try await Folder.remove("\(partial)/\(name)") }
            }
        } catch {
            self.logger.warning("artifact folder not cleaned", metadata: ["reason": "\(error.message)"])
        }
    }
}

extension Duration {
    fileprivate var inWholeSeconds: Int64 { self.components.seconds }
}

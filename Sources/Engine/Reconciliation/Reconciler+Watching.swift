import Deployments
import Logging

/// The loop's senses: each looks at one thing for ever and yields what it saw. None of them can delay another.
extension Reconciler {
    func watch(_ source: Source) async {
        let bell = self.bells[source.port.name] ?? Bell()
        var pace = PollPace(interval: source.interval)
        var isWoken = false
        while !Task.isCancelled {
            bell.reset()
            let outcome = await self.poll(source)
            // Give or take a tenth: repositories of one server are not all asked in the same moment for ever.
            let wait = pace.wait(after: outcome, isWoken: isWoken) * Double.random(in: 0.9...1.1)
            isWoken = await bell.wait(atMost: wait)
            if isWoken, !(await self.sleep(pace.delay(ofWakeAt: .now))) { return }
        }
    }

    private func poll(_ source: Source) async -> PollPace.Outcome {
        let commit: DesiredCommit?
        do {
            if let snapshot = try await source.port.poll() {
                commit = await self.reading.read(snapshot)
            } else {
                commit = nil
            }
        } catch {
            self.logger.warning(
                "poll failed",
                metadata: ["repository.name": "\(source.port.name)", "error": "\(error)"]
            )
            self.tell(.polled(source.port.name, .failure(error)))
            return .failure
        }
        self.tell(.polled(source.port.name, .success(commit)))
        return commit == nil ? .nothing : .news
    }

    /// Looks now and then, and when something changed: one look after the other, so that none overtakes a newer one.
    func watchPlatform() async {
        let (looks, look) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { group in
            group.addTask {
                repeat { look.yield() } while await self.sleep(self.settings.poll)
                look.finish()
            }
            group.addTask {
                for await _ in self.ports.platformChanges { look.yield() }
            }
            for await _ in looks { await self.lookAtPlatform() }
        }
    }

    private func lookAtPlatform() async {
        let time = self.ports.now()
        do {
            self.tell(.platform(.success(try await self.ports.platform.replicas()), at: time))
        } catch {
            self.tell(.platform(.failure(error), at: time))
        }
    }

    func watchRouter() async {
        while !Task.isCancelled {
            await self.lookAtRouter()
            guard await self.sleep(self.settings.poll) else { return }
        }
    }

    func lookAtRouter() async {
        let time = self.ports.now()
        do {
            self.tell(.router(.success(try await self.ports.router.observe()), at: time))
        } catch {
            self.tell(.router(.failure(error), at: time))
        }
    }

    func answerMetricJobs() async {
        let providers = Dictionary(self.ports.providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let webhooks = Dictionary(self.ports.webhooks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        // One task a job: the loop asks each gate once at a time, so there are never more than gates, and a slow
        // provider delays no other deployment's.
        await withDiscardingTaskGroup { group in
            for await job in self.metricJobs {
                group.addTask { await self.answer(job, from: providers, webhooks) }
            }
        }
    }

    private func answer(
        _ job: MetricJob,
        from providers: [String: any MetricProvider],
        _ webhooks: [String: any VerdictProvider]
    ) async {
        let measurement = await job.measurement(
            from: providers,
            webhooks: webhooks,
            jobs: self.ports.jobs,
            comparing: self.ports.answers,
            told: self.ports.feedback,
            at: self.ports.now()
        )
        self.tell(.measured(job.deployment, measurement))
    }

    /// At least once, in order, with patience: an outcome that git cannot be told now is told later.
    func deliver(_ items: AsyncStream<OutboxItem>, to source: Source, _ forge: ForgeQueue) async {
        for await item in items {
            var wait = Duration.seconds(1)
            while true {
                do throws(SourceError) {
                    switch try await source.deliver(item) {
                    case .done(let event): self.tell(event)
                    case .toPropose(let proposal, let done):
                        _ = forge.post(ForgeQueue.Errand(item: item, proposal: proposal, done: done))
                    }
                    break
                } catch {
                    self.logger.warning(
                        "git is not told yet",
                        metadata: ["commit": "\(item.commit)", "error": "\(error)"]
                    )
                    self.tell(.undelivered(item, error))
                }
                guard await self.sleep(wait) else { return }
                wait = min(wait * 2, .minutes(5))
            }
        }
    }

    /// At least once, each thing at its time: see ``ForgeQueue``.
    func tell(_ source: Source, _ queue: ForgeQueue) async {
        while !Task.isCancelled {
            queue.bell.reset()
            guard let errand = queue.next(at: .now) else {
                _ = await queue.bell.wait(atMost: queue.rest(at: .now))
                continue
            }
            do throws(SourceError) {
                let event = try await source.deliver(errand)
                queue.finish(errand)
                self.tell(event)
            } catch {
                self.logger.warning(
                    "the forge is not told yet",
                    metadata: ["commit": "\(errand.item.commit)", "error": "\(error)"]
                )
                let isDue = queue.postpone(errand, because: error, at: .now)
                self.tell(isDue ? .undelivered(errand.item, error) : .delivered(errand.item))
            }
        }
    }

    /// - Returns: False when the task was cancelled.
    func sleep(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }
}

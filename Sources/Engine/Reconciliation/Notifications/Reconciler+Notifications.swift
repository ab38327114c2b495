import Deployments
import Logging
package import Rollouts

/// Telling receivers. Each has its own queue and task, so that one that is away delays neither others nor a decision.
extension Reconciler {
    /// At least once, each message at its time: see ``NoticeQueue``.
    func tell(_ notifier: any Notifier, from queue: NoticeQueue) async {
        while !Task.isCancelled {
            queue.bell.reset()
            let (message, dropped) = queue.next(at: .now, time: self.ports.now())
            self.drop(dropped, by: notifier.name)
            guard let message else {
                _ = await queue.bell.wait(atMost: queue.rest(at: .now))
                continue
            }
            do throws(NotificationError) {
                _ = try await notifier.send(message.content)
                queue.finish(message, at: self.ports.now())
            } catch {
                guard !Task.isCancelled else { return }
                guard error.code == .refused else {
                    self.logger.warning(
                        "a receiver is not told yet",
                        metadata: ["receiver.name": "\(notifier.name)", "error": "\(error)"]
                    )
                    let factor = Double.random(in: 0.8...1.2)
                    queue.postpone(because: error, factor: factor, at: .now, time: self.ports.now())
                    continue
                }
                self.logger.error(
                    "a receiver refuses, and is not told",
                    metadata: [
                        "receiver.name": "\(notifier.name)", "error": "\(error)",
                        "notices": "\(message.items.compactMap(\.notice?.id).prefix(5))",
                    ]
                )
                queue.giveUp(message, because: error, at: self.ports.now())
            }
            for item in message.items { self.tell(.delivered(item)) }
        }
    }

    private func drop(_ items: [OutboxItem], by receiver: String) {
        guard !items.isEmpty else { return }
        self.logger.warning(
            "too much waits for a receiver: the oldest of least severity is left out",
            metadata: ["receiver.name": "\(receiver)", "notices.count": "\(items.count)"]
        )
        for item in items { self.tell(.delivered(item)) }
    }

    /// Queues what a receiver is to be told; what no configured one can take counts as delivered.
    func post(notice item: OutboxItem) {
        guard let receiver = item.receiver, let queue = self.noticeQueues[receiver] else {
            self.logger.warning(
                "nobody is told of this any more: its receiver is not configured",
                metadata: ["receiver.name": "\(item.receiver ?? "")", "outbox.item": "\(item.id)"]
            )
            self.tell(.delivered(item))
            return
        }
        self.drop(queue.post(item, at: .now), by: receiver)
    }

    /// Shows what is the case, as long as it lasts: see ``AlertBook``.
    func show(to receiver: any AlertReceiver, _ account: ReceiverAccount) async {
        var book = AlertBook(patience: self.settings.alertPatience)
        var pause = NoticeQueue.firstWait
        while await self.sleep(Self.alertInterval) {
            let now = self.ports.now()
            let alerts = Alert.all(in: self.current).filter { alert in
                self.ports.receivers.routes.receivers(of: NoticeRoutes.Subject(alert)).contains {
                    $0.name == receiver.name
                }
            }
            book.update(alerts, at: now)
            let due = book.due(at: now)
            guard !due.isEmpty else { continue }
            do throws(NotificationError) {
                _ = try await receiver.show(due)
                book.note(due, at: now)
                account.update { state in
                    state.note(delivered: due.count, at: now)
                    state.waiting = 0
                }
                pause = NoticeQueue.firstWait
            } catch {
                self.logger.warning(
                    "a receiver of alerts is not told yet",
                    metadata: ["receiver.name": "\(receiver.name)", "error": "\(error)"]
                )
                account.update { state in
                    state.note(problem: "\(error)", at: now)
                    state.waiting = due.count
                }
                var wait = pause * Double.random(in: 0.8...1.2)
                if case .wait(let asked) = error.recovery { wait = max(wait, min(asked, AlertBook.interval)) }
                // What lasts must be shown again before the receiver takes it for ended.
                pause = min(pause * 2, AlertBook.interval)
                guard await self.sleep(wait) else { return }
            }
        }
    }

    /// Between two comparisons of what is the case with what was shown.
    private static let alertInterval: Duration = .seconds(2)

    /// How it goes with each receiver, by name.
    var receiverStates: [ReceiverState] {
        (self.noticeQueues.values.map(\.account) + self.alertAccounts.values.map(\.current)).sorted {
            $0.name < $1.name
        }
    }

    /// Sends a test to a receiver, at once and once, and says what it answered.
    package func test(receiver name: String, by operatorName: String) async -> CommandAnswer {
        let now = self.ports.now()
        let id = DeploymentID(namespace: "controller", name: "notify-test")
        let words = "\(operatorName) tries this receiver: nothing happened"
        do throws(NotificationError) {
            if let notifier = self.ports.receivers.notifiers.first(where: { $0.name == name }) {
                let notice = Notice(
                    id: "test/\(name)/\(now.milliseconds)",
                    kind: Notice.test,
                    severity: .info,
                    time: now,
                    deployment: id,
                    message: words,
                    by: operatorName
                )
                return .done("\(name) answered: \(try await notifier.send(NoticeMessage(notices: [notice])))")
            }
            if let receiver = self.ports.receivers.alerts.first(where: { $0.name == name }) {
                let alert = Alert(.test, .info, of: id, summary: words, since: now)
                let answer = try await receiver.show([ShownAlert(alert: alert, ends: now + .minutes(1))])
                return .done("\(name) answered: \(answer); the alert ends by itself in a minute")
            }
        } catch {
            return .refused(error.message)
        }
        let known = self.receiverStates.map(\.name).joined(separator: ", ")
        return .refused(
            known.isEmpty
                ? "no receivers are configured: add `notifications` to the controller's configuration"
                : "there is no receiver \(name): there are \(known)"
        )
    }
}

/// Times in which the deployments that it selects are not changed. Safety is never frozen.
package struct FreezeWindow: Hashable, Codable, Sendable {
    package var name: String
    package var schedule: Schedule
    /// Empty is every namespace.
    package var namespaces: [String]
    /// All of these must be the deployment's.
    package var labels: [String: String]

    package enum Schedule: Hashable, Codable, Sendable {
        case once(from: Timestamp, until: Timestamp)
        case recurring(CronSchedule, duration: Duration)
    }

    package init(name: String, schedule: Schedule, namespaces: [String] = [], labels: [String: String] = [:]) {
        self.name = name
        self.schedule = schedule
        self.namespaces = namespaces
        self.labels = labels
    }

    package func selects(_ spec: DeploymentSpec) -> Bool {
        (self.namespaces.isEmpty || self.namespaces.contains(spec.id.namespace))
            && self.labels.allSatisfy { spec.labels[$0.key] == $0.value }
    }

    /// When the window ends that is open at `now`; nothing when none is.
    package func end(at now: Timestamp) -> Timestamp? {
        switch self.schedule {
        case .once(let from, let until): from <= now && now < until ? until : nil
        case .recurring(let cron, let duration): cron.last(before: now, within: duration).map { $0 + duration }
        }
    }

    /// Until when ``end(at:)`` says the same as at `now`, at least; nothing when it does for good.
    package func change(after now: Timestamp) -> Timestamp? {
        switch self.schedule {
        case .once(let from, let until):
            return now < from ? from : now < until ? until : nil
        case .recurring:
            // Schedules begin on the minute, and one beginning may move the end of the one before.
            let minute = Timestamp(milliseconds: (now.milliseconds.dividedDown(by: 60_000) + 1) * 60_000)
            return self.end(at: now).map { min($0, minute) } ?? minute
        }
    }
}

extension Int64 {
    fileprivate func dividedDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

import Deployments

extension Shape {
    static let freezeSpec = Shape(
        "freezeSpec",
        [
            .required("schedule", "{from: 2026-11-27T00:00:00Z, until: 2026-11-30T00:00:00Z}"),
            .optional("selector", "{namespaces: [search]}"),
        ]
    )
    static let schedule = Shape(
        "schedule",
        [
            .optional("from", "2026-11-27T00:00:00Z"),
            .optional("until", "2026-11-30T00:00:00Z"),
            .optional("cron", "\"0 18 * * 5\""),
            .optional("duration", "60h"),
            .optional("timeZone", "\"+01:00\""),
        ]
    )
    static let selector = Shape(
        "selector",
        [.optional("namespaces", "[search]"), .optional("labels", "{tier: critical}")]
    )
}

extension FreezeWindow {
    init?(name: String, decoding spec: Members) {
        let selector = spec["selector"]?.members(of: .selector)
        let namespaces = selector?["namespaces"]?.list()?.compactMap { $0.label() } ?? []
        let labels = selector?["labels"]?.labels() ?? [:]
        guard let field = spec["schedule"], let members = field.members(of: .schedule),
            let schedule = Schedule(decoding: members, in: field)
        else { return nil }
        self.init(name: name, schedule: schedule, namespaces: namespaces, labels: labels)
    }
}

extension FreezeWindow.Schedule {
    fileprivate init?(decoding members: Members, in field: Field) {
        switch members.exactlyOne(of: ["from", "cron"]) {
        case "from":
            for name in ["duration", "timeZone"] {
                members[name]?.error("\(name.inBackticks) belongs to `cron`: a window with `from` has an `until`")
            }
            guard let untilField = members["until"] else {
                field.error("`until` is missing: add for example `until: 2026-11-30T00:00:00Z`")
                return nil
            }
            guard let from = members["from"]?.timestamp(), let until = untilField.timestamp() else { return nil }
            guard from < until else {
                untilField.error("the window ends before it begins: `until` must be later than `from`")
                return nil
            }
            self = .once(from: from, until: until)
        case "cron":
            members["until"]?.error("`until` belongs to `from`: a window with `cron` has a `duration`")
            guard let durationField = members["duration"] else {
                field.error("`duration` is missing: add for example `duration: 60h`")
                return nil
            }
            // Longer than a month, a window that comes again would hardly ever be closed.
            let duration = durationField.duration(in: .minutes(1) ... .hours(24 * 31))
            let offset = members["timeZone"].map { $0.utcOffset() } ?? .utc
            guard let cron = members["cron"], let offset, let duration, let text = cron.string(limit: 256) else {
                return nil
            }
            guard let schedule = CronSchedule(text, offset: offset) else {
                cron.expected("a schedule of minute, hour, day, month and day of the week, in numbers")
                return nil
            }
            self = .recurring(schedule, duration: duration)
        default:
            return nil
        }
    }
}

extension Field {
    /// Unquoted it is a text too: the core schema of YAML 1.2 has no times.
    fileprivate func timestamp() -> Timestamp? {
        guard let text = self.node.scalarText, let time = Timestamp(rfc3339: text) else {
            self.expected("a time in UTC or with an offset")
            return nil
        }
        return time
    }

    /// The rules of other time zones change by law, and are not part of this program.
    fileprivate func utcOffset() -> UTCOffset? {
        guard let text = self.node.scalarText, let offset = UTCOffset(text) else {
            self.error(
                "only `UTC` and fixed offsets such as `\"+01:00\"` are available in this version: give the offset"
            )
            return nil
        }
        return offset
    }
}

import Deployments
import Reconciliation

/// What people read of a message: plain text, in which nothing that others wrote can begin a line of its own.
struct NoticeText {
    /// One line: what and where.
    let title: String
    let severity: Notice.Severity
    /// What happened, oldest first.
    let lines: [Line]
    /// What is not among the lines, in words; empty where nothing is.
    let rest: [String]

    struct Line: Hashable {
        /// The controller's own words.
        var what: String
        /// What others wrote.
        var why: String
    }

    /// More lines nobody reads.
    private static let limit = 5
    /// With five characters for each that is escaped, a block of Slack's has room for it (3000).
    private static let textLimit = 450

    init(_ message: NoticeMessage) {
        let notices = message.notices
        let names = Set(notices.map(\.deployment))
        self.severity = notices.map(\.severity).max() ?? .info
        var rest: [String] = []
        if names.count == 1 {
            self.title = Self.line(Self.title(of: notices, named: notices.last?.deployment ?? ""), limit: 300)
            self.lines = notices.suffix(Self.limit).map { Self.line(of: $0, names: false) }
            if notices.count > Self.limit { rest.append("\(notices.count - Self.limit) earlier events") }
        } else {
            self.title = Self.line(Self.summary(of: notices, count: names.count), limit: 300)
            // The worst first: that is what somebody is woken for.
            let ranked = notices.enumerated().sorted {
                ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
            }
            self.lines = ranked.prefix(Self.limit).map { Self.line(of: $0.element, names: true) }
            if notices.count > Self.limit { rest.append("\(notices.count - Self.limit) more events") }
        }
        if message.leftOut > 0 {
            rest.append("\(message.leftOut) earlier events were left out, as this receiver did not take them")
        }
        self.rest = rest
    }

    /// `search/file-type: rolled back (magika 3.4)`
    private static func title(of notices: [Notice], named name: String) -> String {
        // An incident is called by its worst event, and of several by the newest.
        let ranked = notices.enumerated().max {
            ($0.element.severity, $0.offset) < ($1.element.severity, $1.offset)
        }
        let worst = ranked?.element
        let model = worst?.model.map { " (\(Self.line($0.name, limit: 80)) \(Self.line($0.version, limit: 40)))" } ?? ""
        return "\(name): \(Self.words(for: worst?.kind ?? ""))\(model)"
    }

    /// `search: 12 deployments by main@sha1:1eabc9a4: 10 rolled back, 2 no verdict`
    private static func summary(of notices: [Notice], count: Int) -> String {
        let namespaces = Set(notices.map(\.namespace))
        let place = namespaces.count == 1 ? namespaces.first ?? "" : "\(namespaces.count) namespaces"
        let commits = Set(notices.map(\.commit))
        let cause = commits.count == 1 ? commits.first.flatMap { $0 }.map { " by \($0)" } ?? "" : ""
        // Of each deployment its worst: it began to be rolled back, and was.
        var worst: [String: Notice] = [:]
        for notice in notices {
            guard let known = worst[notice.deployment] else {
                worst[notice.deployment] = notice
                continue
            }
            if (known.severity, known.time) <= (notice.severity, notice.time) { worst[notice.deployment] = notice }
        }
        let kinds = Dictionary(grouping: worst.values, by: \.kind).mapValues(\.count)
        let counts = kinds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            "\($0.value) \(Self.words(for: $0.key))"
        }
        return "\(place): \(count) deployments\(cause): \(counts.joined(separator: ", "))"
    }

    private static func line(of notice: Notice, names: Bool) -> Line {
        let by = notice.by.map { " by \(Self.line($0, limit: 80))" } ?? ""
        let who = names ? "\(notice.deployment): " : ""
        let subject = Self.line(notice.commit?.subject ?? "", limit: 100)
        return Line(
            what: Self.line("\(who)\(Self.words(for: notice.kind))\(by)", limit: 300),
            why: Self.line(notice.message, limit: Self.textLimit) + (subject.isEmpty ? "" : " [\(subject)]")
        )
    }

    /// `rolled back`
    static func words(for kind: String) -> String {
        kind == "inconclusive" ? "no verdict" : kind.replacing("-", with: " ")
    }

    /// On one line, without control characters and those that reorder or hide what follows. What has more Unicode
    /// scalars than `limit` is cut and ends with `…`.
    static func line(_ text: some StringProtocol, limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(Self.isPrintable(scalar) ? scalar : " ")
        }
        let words = String(scalars).split(separator: " ").joined(separator: " ")
        guard words.unicodeScalars.count > limit else { return words }
        return String(String.UnicodeScalarView(words.unicodeScalars.prefix(max(0, limit - 1)))) + "…"
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}

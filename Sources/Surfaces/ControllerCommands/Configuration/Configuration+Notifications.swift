import Deployments
import Manifests
import Rollouts
import Transport

extension Configuration {
    /// Who is told of what happens.
    package struct Notifications: Hashable, Sendable {
        /// What this controller is called among others.
        package var source: String
        package var receivers: [Receiver]
        /// In their order; the first that matches counts, and those after one that continues.
        package var routes: [Route]

        static let none = Notifications(source: "/controller", receivers: [], routes: [])
    }

    package struct Receiver: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable, CaseIterable { case slack, webhook, alertmanager, email }

        package enum Address: Hashable, Sendable {
            case url(String)
            /// In the first line of a file.
            case file(String)
        }

        package enum Target: Hashable, Sendable {
            case slack(Address)
            case webhook(Address, secretFile: String?, tokenFile: String?)
            case alertmanager(Address, tokenFile: String?)
            case email(MailServer)
        }

        package var name: String
        package var target: Target
        /// A PEM file of the authorities to trust; nothing for the system's.
        package var caFile: String?
        /// For one delivery.
        package var timeout: Duration
    }

    package struct MailServer: Hashable, Sendable {
        package enum TLS: String, Hashable, Sendable, CaseIterable {
            case starttls, implicit
            // `none` would be taken for a missing value.
            case nothing = "none"
        }

        package var host: String
        package var port: Int
        package var tls: TLS
        package var username: String?
        package var passwordFile: String?
        package var from: String
        package var to: [String]
    }

    package struct Route: Hashable, Sendable {
        package enum Severity: String, Hashable, Sendable, CaseIterable { case info, warning, critical }
        package enum GroupKey: String, Hashable, Sendable, CaseIterable {
            case namespace, deployment, commit, severity, event
        }

        package var receivers: [String]
        package var namespaces: [String]
        package var labels: [String: String]
        package var severities: [Severity]
        package var events: [String]
        package var groupBy: [GroupKey]
        package var groupWait: Duration
        package var continues: Bool

        /// What `events` may name: kinds of events, and the conditions of alerts.
        package static let eventNames =
            Transition.Kind.allCases.map(\.rawValue)
            + ["held", "retrain", "degraded", "git-stale", "journal", "platform", "router"]
    }

    /// The files of receivers, for whoever checks that they can be read.
    package var receiverFiles: [(receiver: String, path: String)] {
        self.notifications.receivers.flatMap { receiver in
            let files: [String?] =
                switch receiver.target {
                case .slack(let address): [address.file]
                case .webhook(let address, let secret, let token): [address.file, secret, token]
                case .alertmanager(let address, let token): [address.file, token]
                case .email(let server): [server.passwordFile]
                }
            return (files + [receiver.caFile]).compactMap { file in file.map { (receiver.name, $0) } }
        }
    }
}

extension Configuration.Receiver.Address {
    fileprivate var file: String? {
        if case .file(let path) = self { path } else { nil }
    }
}

// MARK: - Decoding

extension Configuration.Notifications {
    init(decoding field: Field?) {
        self = .none
        guard let field, let members = field.members(of: .notifications) else { return }
        if let source = members["source"]?.string(
            limit: 200,
            form: "a URI or a path that names this controller, such as /controller/prod",
            where: { !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
        ) {
            self.source = source
        }
        let fields = members["receivers"]?.list(limit: 50) ?? []
        self.receivers = fields.compactMap { Configuration.Receiver(decoding: $0) }
        if fields.count == self.receivers.count {
            ConfigurationDecoder.checkUnique(fields, self.receivers.map(\.name), "receivers")
        }
        let routes = members["routes"]?.list(limit: 200) ?? []
        // Of a receiver with errors the name counts all the same: one error is told once.
        let names = fields.compactMap { $0.node["name"]?.scalarText }
        self.routes = routes.compactMap { Configuration.Route(decoding: $0, receivers: names) }
        guard routes.count == self.routes.count, fields.count == self.receivers.count else { return }
        for (field, receiver) in zip(fields, self.receivers)
        where !self.routes.contains(where: { $0.receivers.contains(receiver.name) }) {
            field.warning("no route leads to \(receiver.name.inBackticks): add `{receivers: [\(receiver.name)]}`")
        }
        for (index, route) in self.routes.enumerated() where route.isForAll && !route.continues {
            guard index + 1 < self.routes.count else { break }
            routes[index + 1].warning("the route before it takes everything: add `continue: true` there, or move it")
            break
        }
    }
}

extension Configuration.Route {
    fileprivate var isForAll: Bool {
        self.namespaces.isEmpty && self.labels.isEmpty && self.severities.isEmpty && self.events.isEmpty
    }

    fileprivate init?(decoding field: Field, receivers names: [String]) {
        guard let members = field.members(of: .notificationRoute) else { return nil }
        let fields = members["receivers"]?.list(limit: 50) ?? []
        if members["receivers"] != nil, fields.isEmpty {
            members["receivers"]?.error("it leads nowhere: name a receiver")
        }
        let receivers = fields.compactMap { field -> String? in
            guard let name = field.string() else { return nil }
            guard names.contains(name) else {
                field.error("there is no receiver \(name.inBackticks): \(NearestName.hint(for: name, among: names))")
                return nil
            }
            return name
        }
        let form = "a namespace, or the beginning of several with * at its end"
        self.receivers = receivers
        self.namespaces =
            members["namespaces"]?.list(limit: 100)?.compactMap {
                $0.string(form: form) { text in
                    NameForm.isLabel(text) || text.hasSuffix("*") && NameForm.isLabel(text.dropLast() + "x")
                }
            } ?? []
        self.labels = members["labels"]?.labels() ?? [:]
        self.severities = members["severities"]?.list()?.compactMap { $0.choice(of: Severity.self) } ?? []
        self.events =
            members["events"]?.list()?.compactMap { field in
                guard let name = field.string() else { return nil }
                if Self.eventNames.contains(name) { return name }
                field.error("unknown event \(name.inBackticks): \(NearestName.hint(for: name, among: Self.eventNames))")
                return nil
            } ?? []
        self.groupBy =
            members["groupBy"]?.list()?.compactMap { $0.choice(of: GroupKey.self) } ?? [.namespace, .commit]
        self.groupWait = members["groupWait"]?.duration(in: .zero ... .minutes(30)) ?? .seconds(10)
        self.continues = members["continue"]?.boolean() ?? false
        guard !receivers.isEmpty else { return nil }
    }
}

extension Configuration.Receiver {
    /// What each kind takes, besides `name`, `kind`, `caFile` and `timeout`.
    private static let own: [Kind: Set<String>] = [
        .slack: ["url", "urlFile"], .webhook: ["url", "urlFile", "secretFile", "tokenFile"],
        .alertmanager: ["url", "urlFile", "tokenFile"],
        .email: ["host", "port", "tls", "username", "passwordFile", "from", "to"],
    ]

    fileprivate init?(decoding field: Field) {
        guard let members = field.members(of: .receiver) else { return nil }
        let name = members["name"]?.label()
        guard let kind = members["kind"]?.choice(of: Kind.self) else { return nil }
        let own = Self.own[kind] ?? []
        for other in Set(Self.own.values.joined()).subtracting(own).sorted() {
            members[other]?.error(
                "\(other.inBackticks) is not for a receiver of kind \(kind.rawValue.inBackticks): remove it"
            )
        }
        self.caFile = members["caFile"]?.absolutePath()
        self.timeout = members["timeout"]?.duration(in: .seconds(1) ... .minutes(2)) ?? .seconds(15)
        let target: Target?
        switch kind {
        case .slack: target = Self.address(members, at: field).map { .slack($0) }
        case .webhook:
            let (secret, token) = (members["secretFile"]?.absolutePath(), members["tokenFile"]?.absolutePath())
            target = Self.address(members, at: field).map { .webhook($0, secretFile: secret, tokenFile: token) }
        case .alertmanager:
            let token = members["tokenFile"]?.absolutePath()
            target = Self.address(members, at: field).map { .alertmanager($0, tokenFile: token) }
        case .email:
            target = Configuration.MailServer(decoding: members, at: field).map { .email($0) }
        }
        guard let name, let target else { return nil }
        self.name = name
        self.target = target
    }

    private static func address(_ members: Members, at field: Field) -> Address? {
        let file = members["urlFile"]?.absolutePath()
        let url = members["url"]?.webURL(namedBy: "urlFile")
        guard members["url"] == nil || members["urlFile"] == nil else {
            members["urlFile"]?.error("`url` is given, too: keep one of them")
            return nil
        }
        guard members["url"] != nil || members["urlFile"] != nil else {
            field.error("nobody says where it is: add `url`, or `urlFile` where the URL is a secret")
            return nil
        }
        if let url, url.contains("hooks.slack.com/") {
            members["url"]?.warning(
                "whoever has this URL can post there: write it into a file that only the daemon may read, and name "
                    + "that with `urlFile`"
            )
        }
        if let url, url.hasPrefix("http://") {
            members["caFile"]?.error("`caFile` is only for https URLs: remove it, or use another `url`")
            if members["tokenFile"] != nil, !Self.isHere(url) {
                members["url"]?.warning("the token travels readable for everyone on the way: use an https URL")
            }
        }
        return file.map { .file($0) } ?? url.map { .url($0) }
    }

    private static func isHere(_ url: String) -> Bool {
        let host = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
        return host == "localhost" || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isWholeNumber }
    }
}

extension Configuration.MailServer {
    fileprivate init?(decoding members: Members, at field: Field) {
        for name in ["host", "from", "to"] where members[name] == nil {
            field.error("\(name.inBackticks) is missing: a receiver of kind `email` needs it")
        }
        let host = members["host"]?.string(limit: 253, form: "the name or address of a mail server") { text in
            NameForm.isHost(text.lowercased())
                || text.contains(":") && text.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        self.tls = members["tls"]?.choice(of: TLS.self) ?? .starttls
        self.port = members["port"]?.integer(in: 1...65_535) ?? (self.tls == .implicit ? 465 : 587)
        let form = "an address such as oncall@example.com, without a name"
        let from = members["from"]?.string(limit: 254, form: form, where: MailRequest.isAddress)
        let to = members["to"]?.list(limit: 50)?.compactMap {
            $0.string(limit: 254, form: form, where: MailRequest.isAddress)
        }
        if to?.isEmpty ?? false { members["to"]?.error("it goes to nobody: add an address") }
        self.username = members["username"]?.string(limit: 256, form: "a user's name") { !$0.isEmpty }
        self.passwordFile = members["passwordFile"]?.absolutePath()
        if (members["username"] == nil) != (members["passwordFile"] == nil) {
            (members["username"] ?? members["passwordFile"])?.error(
                "`username` and `passwordFile` go together: add both"
            )
        }
        if self.tls == .nothing, let password = members["passwordFile"], host != "localhost", host != "127.0.0.1" {
            password.warning("the password travels readable for everyone on the way: use `tls: starttls`")
        }
        guard let host, let from, let to, !to.isEmpty else { return nil }
        self.host = host
        self.from = from
        self.to = to
    }
}

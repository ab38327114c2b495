import ControllerCommands
import Deployments
import Manifests
import Reconciliation
import Testing

@Suite("The configuration of notifications")
struct NotificationConfigurationTests {
    private func read(_ notifications: String) throws -> Configuration {
        let text = """
            repositories:
              - {name: a, url: /srv/a}
            notifications:
            \(notifications.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """
        return try Configuration(reading: Array(text.utf8), path: "c.yaml")
    }

    private func problems(_ notifications: String) -> String {
        do {
            return try self.read(notifications).warnings.map(\.description).joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    private static let chat = "{name: chat, kind: slack, urlFile: /etc/controller/slack-url}"

    @Test
    func `each kind of receiver is read, with its defaults`() throws {
        let notifications = try self.read(
            """
            source: /controller/prod
            receivers:
              - \(Self.chat)
              - {name: pipeline, kind: webhook, url: "https://p.example/h", secretFile: /k, tokenFile: /t, caFile: /c}
              - {name: pager, kind: alertmanager, url: "http://127.0.0.1:9093/", timeout: 5s}
              - {name: mail, kind: email, host: mail.example, from: c@example.com, to: [a@example.com, b@example.com]}
              - name: other
                kind: email
                host: "::1"
                tls: implicit
                username: c
                passwordFile: /p
                from: c@example.com
                to: [a@example.com]
            routes:
              - {receivers: [pipeline], events: [retrain], continue: true}
              - receivers: [chat, mail, other]
                namespaces: [search, team-*]
                labels: {tier: critical}
                severities: [warning, critical]
                groupBy: [deployment]
                groupWait: 30s
                continue: true
              - {receivers: [pager]}
            """
        )
        .notifications
        #expect(notifications.source == "/controller/prod")
        let targets = notifications.receivers.map(\.target)
        #expect(targets[0] == .slack(.file("/etc/controller/slack-url")))
        #expect(targets[1] == .webhook(.url("https://p.example/h"), secretFile: "/k", tokenFile: "/t"))
        #expect(targets[2] == .alertmanager(.url("http://127.0.0.1:9093"), tokenFile: nil))
        guard case .email(let mail) = targets[3], case .email(let other) = targets[4] else {
            Issue.record("\(targets)")
            return
        }
        #expect(mail.port == 587 && mail.tls == .starttls && mail.to.count == 2 && mail.username == nil)
        #expect(other.port == 465 && other.tls == .implicit && other.username == "c" && other.host == "::1")
        #expect(
            notifications.receivers.map(\.timeout) == [.seconds(15), .seconds(15), .seconds(5)] + [
                .seconds(15), .seconds(15),
            ]
        )
        let routes = notifications.routes
        #expect(routes.map(\.continues) == [true, true, false])
        #expect(routes[0].events == ["retrain"] && routes[0].groupBy == [.namespace, .commit])
        #expect(routes[0].groupWait == .seconds(10))
        #expect(routes[1].namespaces == ["search", "team-*"] && routes[1].labels == ["tier": "critical"])
        #expect(routes[1].severities == [.warning, .critical] && routes[1].groupBy == [.deployment])
    }

    @Test
    func `without notifications nobody is told, and that is no problem`() throws {
        let configuration = try Configuration(reading: Array("repositories: [{name: a, url: /srv/a}]".utf8), path: "c")
        #expect(configuration.notifications.receivers.isEmpty && configuration.warnings.isEmpty)
    }

    @Test(arguments: [
        ("{name: a, kind: slack}", "add `url`, or `urlFile` where the URL is a secret"),
        ("{name: a, kind: slack, url: \"https://s.example/x\", urlFile: /u}", "`url` is given, too"),
        ("{name: a, kind: slack, url: \"https://hooks.slack.com/services/T/B/x\"}", "whoever has this URL can post"),
        ("{name: a, kind: slack, url: \"https://u:p@s.example/x\"}", "a secret must not be part of a URL"),
        ("{name: a, kind: slack, urlFile: slack-url}", "an absolute path"),
        ("{name: a, kind: slack, urlFile: /u, secretFile: /s}", "`secretFile` is not for a receiver of kind `slack`"),
        ("{name: a, kind: slak, urlFile: /u}", "unknown value `slak`: did you mean `slack`"),
        ("{name: A, kind: slack, urlFile: /u}", "a name of at most 63 lower-case letters"),
        ("{name: a, kind: webhook, url: \"ftp://x\"}", "an http or https URL"),
        ("{name: a, kind: webhook, url: \"https://x.example\", secret: abc}", "name it with `secretFile`"),
        ("{name: a, kind: webhook, url: \"http://x.example\", tokenFile: /t}", "the token travels readable"),
        ("{name: a, kind: webhook, url: \"http://x.example\", caFile: /c}", "`caFile` is only for https URLs"),
        ("{name: a, kind: email, host: m.example, from: a@b}", "`to` is missing"),
        ("{name: a, kind: email, host: m.example, from: a@b, to: []}", "it goes to nobody"),
        ("{name: a, kind: email, host: m.example, from: a@b, to: [\"x@y>\"]}", "an address such as oncall@example.com"),
        ("{name: a, kind: email, host: m.example, from: a@b, to: [x@y], username: u}", "go together"),
        ("{name: a, kind: email, host: m.example, from: a@b, to: [x@y], tls: ssl}", "unknown value `ssl`"),
        (
            "{name: a, kind: email, host: m.example, from: a@b, to: [x@y], tls: none, username: u, passwordFile: /p}",
            "the password travels readable"
        ),
    ])
    func `what is wrong with a receiver is told with its place and what to do`(receiver: String, words: String) {
        let said = self.problems("receivers:\n  - \(receiver)\nroutes:\n  - {receivers: [a]}\n")
        #expect(said.contains(words), "\(said)")
        #expect(said.hasPrefix("c.yaml:"), "\(said)")
    }

    @Test(arguments: [
        ("{receivers: [cat]}", "there is no receiver `cat`: did you mean `chat`"),
        ("{receivers: []}", "it leads nowhere"), ("{severities: [critical]}", "receivers"),
        ("{receivers: [chat], events: [rolled-bak]}", "unknown event `rolled-bak`: did you mean `rolled-back`"),
        ("{receivers: [chat], severities: [fatal]}", "unknown value `fatal`"),
        ("{receivers: [chat], namespaces: [\"*x\"]}", "the beginning of several with * at its end"),
        ("{receivers: [chat], groupBy: [model]}", "unknown value `model`"),
        ("{receivers: [chat], groupWait: 2h}", "2h"), ("{receivers: [chat], labels: [a]}", "labels"),
    ])
    func `what is wrong with a route is told with its place and what to do`(route: String, words: String) {
        let said = self.problems("receivers:\n  - \(Self.chat)\nroutes:\n  - \(route)\n")
        #expect(said.contains(words), "\(said)")
        #expect(said.contains("c.yaml:"), "\(said)")
    }

    @Test
    func `receivers that no route leads to, and routes that nothing reaches, are warned of`() {
        let twice = "receivers:\n  - \(Self.chat)\n  - \(Self.chat)\nroutes:\n  - {receivers: [chat]}\n"
        #expect(self.problems(twice).contains("there are two receivers named `chat`"))
        let other = "{name: other, kind: slack, urlFile: /u}"
        let unled = "receivers:\n  - \(Self.chat)\n  - \(other)\nroutes:\n  - {receivers: [chat]}\n"
        #expect(self.problems(unled).contains("no route leads to `other`"))
        let routes = "  - {receivers: [chat]}\n  - {receivers: [other]}\n"
        let unreached = "receivers:\n  - \(Self.chat)\n  - \(other)\nroutes:\n\(routes)"
        #expect(self.problems(unreached).contains("the route before it takes everything"))
    }

    @Test
    func `routes select all kinds of events and conditions that there are`() {
        let conditions = Alert.Condition.allCases.filter { $0 != .test }.map(\.rawValue)
        #expect(Set(Configuration.Route.eventNames) == Set(Notice.kinds + conditions))
        #expect(
            Set(Configuration.Route.Severity.allCases.map(\.rawValue)) == Set(Notice.Severity.allCases.map(\.rawValue))
        )
        let keys = NoticeRoutes.GroupKey.allCases.map(\.rawValue)
        #expect(Set(Configuration.Route.GroupKey.allCases.map(\.rawValue)) == Set(keys))
    }
}

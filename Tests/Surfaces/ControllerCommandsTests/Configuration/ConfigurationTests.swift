import ControllerCommands
import Deployments
import Foundation
import Manifests
import Testing

struct ConfigurationTests {
    private static let minimal = "repositories: [{name: models, url: \"file:///srv/git/models.git\"}]\n"

    private func read(
        _ text: String,
        environment: [String: String] = [:],
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) throws -> Configuration {
        try Configuration(
            reading: Array(text.utf8),
            path: "c.yaml",
            environment: environment,
            overrides: overrides
        )
    }

    private func problems(
        _ text: String,
        environment: [String: String] = [:],
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) -> [String] {
        do {
            return try self.read(text, environment: environment, overrides: overrides).warnings
                .map { ConfigurationError.line(of: $0) }
        } catch {
            return String(describing: error).split(separator: "\n").map(String.init)
        }
    }

    /// The settings of a repository, over several lines, whose first is the file's second.
    private func repository(_ settings: String) -> String {
        "repositories:\n  - name: models\n" + settings.split(separator: "\n").map { "    \($0)\n" }.joined()
    }

    @Test
    func `what is left out has the documented default`() throws {
        let configuration = try self.read(Self.minimal)
        #expect(configuration.stateDirectory == "/var/lib/controller")
        #expect(configuration.socket == "/run/controller/controller.sock")
        #expect(configuration.logLevel == .info)
        #expect(configuration.poll == .seconds(1))
        #expect(configuration.runtimes.isEmpty)
        #expect(configuration.providers.isEmpty)
        #expect(configuration.jobPrograms.isEmpty)
        #expect(configuration.artifacts.directory == "/var/lib/controller/artifacts")
        #expect(configuration.artifacts.maxSize == 20 << 30)
        #expect(configuration.artifacts.timeout == .minutes(30))
        #expect(configuration.local.envoy == "envoy")
        #expect(configuration.local.listen.description == "127.0.0.1:8080")
        #expect(configuration.local.ports == 19_000...19_999)
        #expect(configuration.local.environment == ["PATH"])
        #expect(configuration.journal.keep == .hours(720))
        #expect(configuration.journal.maxSize == 1 << 30)
        let repository = try #require(configuration.repositories.first)
        #expect(repository.reference == .branch("main"))
        #expect(repository.paths.isEmpty)
        #expect(repository.interval == .seconds(30))
        #expect(repository.timeout == .seconds(60))
        #expect(repository.historyRewrite == .reject)
        #expect(repository.deletion == Configuration.Deletion())
        #expect(repository.credentials == .none)
        #expect(!repository.writesNotes)
    }

    @Test(arguments: [
        ("branch: release/1.2", "release/1.2"), ("tag: v1.2.3", "tag v1.2.3"),
        ("commit: \"1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00\"", "commit 1eabc9a4c0"),
        ("semver: \">=1.2.0 <2.0.0\"", "versions >=1.2.0 <2.0.0"),
    ])
    func `a branch, a tag, a commit or the highest version can be watched`(text: String, reference: String) throws {
        let file = "repositories: [{name: a, url: /srv/a, \(text)}]"
        let configuration = try Configuration(reading: Array(file.utf8), path: "c.yaml")
        #expect(configuration.repositories.first?.reference.description == reference)
    }

    @Test
    func `the longest prefix opens what names no credentials of its own, and is no part of another host`() throws {
        let file = """
            gitCredentials:
              - {prefix: "https://git.example/", tokenFile: /wide}
              - {prefix: "https://git.example/team/", tokenVariable: GIT_TOKEN}
            repositories:
              - {name: a, url: "https://git.example/team/a.git"}
              - {name: b, url: "https://git.example/teams/b.git"}
              - {name: c, url: "https://git.example/team/c.git", credentials: {tokenFile: /own}}
              - {name: d, url: "https://git.example.evil/d.git"}
              - {name: e, url: /srv/e}
            """
        #expect(
            try self.read(file).repositories.map(\.credentials) == [
                .tokenVariable(name: "GIT_TOKEN", username: "git"), .token(file: "/wide", username: "git"),
                .token(file: "/own", username: "git"), .none, .none,
            ]
        )
        let open = file.replacing("https://git.example/\"", with: "https://git.example\"")
        #expect(self.problems(open).first?.contains("with a slash at its end") == true, "\(self.problems(open))")
    }

    @Test
    func `every setting of the reference arrives`() throws {
        let examples = try Self.examples()
        #expect(examples.count == 2)
        #expect(try self.read(examples[0]).repositories.count == 1)
        let configuration = try self.read(examples[1])
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.socket == "/run/controller/controller.sock")
        #expect(configuration.runtimes == ["/usr/share/controller/runtimes"])
        #expect(configuration.repositories.map(\.name) == ["models", "experiments"])
        #expect(configuration.repositories[0].paths == ["deployments"])
        #expect(configuration.repositories[0].caFile == "/etc/controller/git-ca.pem")
        #expect(configuration.repositories[0].clientCertificate?.keyFile == "/etc/controller/k.pem")
        #expect(configuration.repositories[0].proxy == "http://proxy.example:3128")
        #expect(configuration.repositories[0].writesNotes)
        #expect(configuration.repositories.map(\.webhook?.kind) == [.github, nil])
        #expect(configuration.repositories[0].webhook?.secretFile == "/etc/controller/webhook-secret")
        #expect(configuration.webhooks?.listen.description == "127.0.0.1:8090")
        #expect(
            configuration.repositories.map(\.credentials) == [
                .token(file: "/etc/controller/git-token", username: "git"),
                .sshKey(file: "/etc/controller/id_ed25519", knownHostsFile: "/etc/controller/known_hosts"),
            ]
        )
        let provider = try #require(configuration.providers.first)
        #expect(configuration.providers.map(\.kind) == [.prometheus, .webhook])
        #expect(configuration.jobPrograms == ["/opt/evaluate"])
        #expect(provider.url == "http://127.0.0.1:9090")
        #expect(provider.tokenFile == "/etc/controller/prometheus-token")
        #expect(configuration.local.envoy == "/usr/bin/envoy")
        #expect(configuration.local.environment == ["PATH", "HOME", "LANG"])
    }

    @Test
    func `the reference names every setting, flag and variable`() throws {
        let text = try Self.reference()
        for name in Shape.configurationShapes.flatMap(\.names) {
            #expect(text.contains("\(name):") || text.contains("\(name)`"), "\(name)")
        }
        // Sets each by its documented flag's field and variable.
        for (variable, value) in Self.variables {
            #expect(text.contains("`\(variable)`"), "\(variable)")
            #expect(
                try self.read(Self.minimal, environment: [variable: value]) != self.read(Self.minimal),
                "\(variable)"
            )
        }
    }

    private static let variables = [
        "CONTROLLER_STATE_DIRECTORY": "/s", "CONTROLLER_SOCKET": "/a.sock", "CONTROLLER_LOG_LEVEL": "debug",
        "CONTROLLER_POLL": "2s", "CONTROLLER_RUNTIMES": "/r", "CONTROLLER_ENVOY": "/e", "CONTROLLER_LISTEN": "h:1",
        "CONTROLLER_PORTS": "2000-2001",
    ]

    @Test
    func `flags go before variables, and variables before the file`() throws {
        let text = Self.minimal + "stateDirectory: /file\npoll: 3s\nlogLevel: error\nruntimes: [/file]\n"
        var overrides = ConfigurationOverrides()
        overrides.stateDirectory = "/flag/"
        overrides.runtimes = ["/one", "/two"]
        let environment = [
            "CONTROLLER_STATE_DIRECTORY": "/variable", "CONTROLLER_POLL": "500ms", "CONTROLLER_LOG_LEVEL": "",
            "CONTROLLER_RUNTIMES": "/x:/y",
        ]
        let configuration = try self.read(text, environment: environment, overrides: overrides)
        #expect(configuration.stateDirectory == "/flag")
        #expect(configuration.socket == "/run/controller/controller.sock")
        #expect(configuration.artifacts.directory == "/flag/artifacts")
        #expect(configuration.poll == .milliseconds(500))
        #expect(configuration.logLevel == .error)
        #expect(configuration.runtimes == ["/one", "/two"])
        #expect(try self.read(text, environment: environment).runtimes == ["/x", "/y"])
    }

    @Test
    func `mistakes in flags and variables name them`() {
        var overrides = ConfigurationOverrides()
        overrides.logLevel = "verbos"
        let problems = self.problems(Self.minimal, environment: ["CONTROLLER_POLL": "1"], overrides: overrides)
        #expect(problems.count == 2)
        #expect(problems.contains { $0.hasPrefix("--log-level: error: unknown value `verbos`: known are") })
        #expect(problems.contains { $0.hasPrefix("CONTROLLER_POLL: error: expected a duration with its unit") })
    }

    @Test
    func `a variable that is nearly one is warned of, and those of others are not`() {
        let environment = ["CONTROLLER_SOCKT": "/a", "CONTROLLER_SERVICE_HOST": "10.0.0.1", "CONTROLLER_REPLICA": "x"]
        #expect(
            self.problems(Self.minimal, environment: environment) == [
                "CONTROLLER_SOCKT: warning: this variable sets nothing: did you mean `CONTROLLER_SOCKET`?"
            ]
        )
    }

    @Test(arguments: [
        ("", "1:1: error: the file is empty: write at least `repositories`"),
        ("poll: 1s\n", "1:1: error: `repositories` is missing: add for example"),
        ("repositories: []\n", "1:15: error: repositories: there must be a repository to watch: add one"),
        (minimal + "pol: 1s\n", "2:1: error: pol: unknown field `pol`: did you mean `poll`?"),
        (minimal + "poll: 1\n", "2:7: error: poll: expected a duration with its unit"),
        (minimal + "poll: 10ms\n", "2:7: error: poll: expected a duration from 100ms to 3s"),
        (minimal + "socket: controller.sock\n", "2:9: error: socket: expected an absolute path"),
        (minimal + "stateDirectory: /\n", "2:17: error: stateDirectory: expected an absolute path"),
        (minimal + "---\na: b\n", "3:1: error: a configuration is one document"),
        (minimal + "local: {ports: 19999-19000}\n", "2:16: error: local.ports: expected a range of ports"),
        (minimal + "local: {ports: 8000-9000}\n", "2:16: error: local.ports: the router's own port 8080 is one of"),
        (minimal + "local: {listen: \"8080\"}\n", "2:17: error: local.listen: expected a host and a port"),
        (
            minimal + "local: {environment: [A=b]}\n",
            "2:23: error: local.environment[0]: expected the name of a variable"
        ),
        (minimal + "local: {envoy: bin/envoy}\n", "2:16: error: local.envoy: expected the name of a program"),
        (
            minimal + "providers: [{name: p, kind: promethius, url: \"http://h\"}]\n",
            "2:29: error: providers[0].kind: unknown value `promethius`: did you mean `prometheus`?"
        ),
        (
            minimal + "providers: [{name: feedback, kind: prometheus, url: \"http://h\"}]\n",
            "2:20: error: providers[0].name: `feedback` is what the controller itself is told: choose another name"
        ),
        (
            minimal + "providers: [{name: p, kind: prometheus, url: \"http://h/?x\"}]\n",
            "2:46: error: providers[0].url: expected an http or https URL without query"
        ),
        (minimal + "a: [\n", "2:1: error: not valid YAML"),
        (minimal + "poll: &a 1s\n", "2:7: error: anchors are not allowed"),
    ])
    func `mistakes are reported with place and fix`(text: String, expected: String) {
        let problems = self.problems(text)
        #expect(problems.contains { $0.hasPrefix("c.yaml:\(expected)") }, "\(problems)")
        #expect(problems.count == 1, "\(problems)")
    }

    @Test(arguments: [
        ("url: ftp://h/x", "3:10: error: repositories[0].url: expected a URL with file, http, https or ssh"),
        ("url: git://git.example/x", "3:10: error: repositories[0].url: git:// shows neither who the server is"),
        ("url: git@host", "3:10: error: repositories[0].url: expected a URL with file, http, https or ssh"),
        ("url: /srv/a\nbranch: refs/heads/main", "4:13: error: repositories[0].branch: expected the name of a branch"),
        ("url: /srv/a\nbranch: main\ntag: v1", "2:5: error: repositories[0]: `branch` and `tag` exclude each other"),
        ("url: /srv/a\ntag: refs/tags/v1", "4:10: error: repositories[0].tag: expected the name of a tag"),
        ("url: /srv/a\ncommit: 1eabc9a4", "4:13: error: repositories[0].commit: expected all 40 digits"),
        ("url: /srv/a\nsemver: latest", "4:13: error: repositories[0].semver: expected a range of versions"),
        ("url: /srv/a\npath: ../other", "4:11: error: repositories[0].path: expected a folder from the root"),
        ("url: /srv/a\npaths: [a, ../b]", "4:16: error: repositories[0].paths[1]: expected a folder from the root"),
        ("url: /srv/a\npaths: [a, ab, a/b/]", "4:20: error: repositories[0].paths[2]: `a/b` and `a` overlap"),
        ("url: /srv/a\npath: a\npaths: [b]", "5:12: error: repositories[0].paths: `path` is given, too"),
        (
            "url: /srv/a\ndeletion: {maxShare: 101}",
            "4:26: error: repositories[0].deletion.maxShare: expected a percentage"
        ),
        ("url: /srv/a\nreverts: always", "4:14: error: repositories[0].reverts: unknown value `always`"),
        ("url: /srv/a\ntag: v1\nreverts: push", "5:14: error: repositories[0].reverts: a revert goes to a branch"),
        (
            "url: /srv/a\nsignatures: {require: head, allowedSignersFile: /s}\nreverts: push",
            "5:14: error: repositories[0].reverts: nobody signs a revert"
        ),
        ("url: /srv/a\nnotes: yes", "4:12: error: repositories[0].notes: expected `true` or `false`"),
        ("url: /srv/a\ncaFile: /a.pem", "4:13: error: repositories[0].caFile: `caFile` is only for https URLs"),
        (
            "url: /srv/a\ncredentials: {tokenFile: /t}",
            "4:18: error: repositories[0].credentials: a token opens only http"
        ),
        (
            "url: git@h:x\ncredentials: {sshKeyFile: /k}",
            "4:18: error: repositories[0].credentials: `knownHostsFile` is missing"
        ),
        (
            "url: https://h/x\ncredentials: {token: abc}",
            "4:19: error: repositories[0].credentials.token: `token` is not"
        ),
        (
            "url: https://h/x\ncredentials: {}",
            "4:18: error: repositories[0].credentials: one of `tokenFile`, `tokenVariable`, `gitHubApp`"
        ),
        (
            "url: https://h/x\ncredentials: {gitHubApp: {appID: 1, installationID: 2}}",
            "4:30: error: repositories[0].credentials.gitHubApp: `privateKeyFile` is missing"
        ),
        (
            "url: https://h/x\ncredentials: {gitHubApp: {appID: 1, installationID: 2, privateKeyFile: /k, privateKey: abc}}",
            "4:80: error: repositories[0].credentials.gitHubApp.privateKey: `privateKey` is not"
        ),
        (
            "url: https://h/x\nproxy: \"http://me:secret@h:1\"",
            "4:12: error: repositories[0].proxy: a secret must not be part of a URL: remove it"
        ),
        (
            "url: git@h:x\nclientCertificate: {certificateFile: /c, keyFile: /k}",
            "4:24: error: repositories[0].clientCertificate: `clientCertificate` is only for https URLs"
        ),
        (
            "url: http://h/x\ncredentials: {tokenFile: /t}",
            "4:18: warning: repositories[0].credentials: the token travels readable"
        ),
    ])
    func `mistakes in repositories are reported with place and fix`(settings: String, expected: String) {
        let problems = self.problems(self.repository(settings))
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix("c.yaml:\(expected)") == true, "\(problems)")
    }

    @Test(arguments: [
        "https://me:hunter2@h/x", "https://hunter2@h/x", "ssh://me:hunter2@h/x", "ftp://me:hunter2@h/x",
        "me:hunter2@h:x", "https://me:hunter2@h/ x",
    ])
    func `a secret in a URL is refused and not repeated`(url: String) {
        let problems = self.problems(self.repository("url: \"\(url)\""))
        #expect(problems.count == 1)
        #expect(problems.allSatisfy { $0.contains("a secret must not be part of a URL") && !$0.contains("hunter2") })
        let provider = "providers: [{name: p, kind: prometheus, url: \"\(url)\"}]\n"
        #expect(self.problems(Self.minimal + provider).allSatisfy { !$0.contains("hunter2") })
    }

    @Test(arguments: [
        "git@git.example:team/models.git", "ssh://git@git.example:2222/x.git", "/srv/git/x.git", "http://h:3000/x",
    ])
    func `every form of URL that git knows and this program allows is taken`(url: String) throws {
        #expect(try self.read(self.repository("url: \"\(url)\"")).repositories.first?.url == url)
    }

    private static let webhooks = "webhooks: {listen: \"127.0.0.1:8090\"}\n"

    @Test(arguments: [
        ("{kind: github}", Self.webhooks, "4:14: error: repositories[0].webhook: `secretFile` is missing"),
        ("{kind: forgejo, secretFile: /s}", Self.webhooks, "4:21: error: repositories[0].webhook.kind: "),
        ("{kind: github, secretFile: s}", Self.webhooks, "4:41: error: repositories[0].webhook.secretFile: expected"),
        (
            "{kind: github, secretFile: /s, secret: x}", Self.webhooks,
            "4:45: error: repositories[0].webhook.secret: `secret` is not"
        ),
        (
            "{kind: github, secretFile: /s}", "",
            "4:14: error: repositories[0].webhook: deliveries need an address to come to: write for example `webhooks:"
        ),
        (
            "{kind: github, secretFile: /s}", "webhooks: {listen: \"127.0.0.1:19001\"}\n",
            "5:11: error: webhooks: the router or its replicas use port 19001: choose another one"
        ),
        (
            "{kind: github, secretFile: /s}", "webhooks: {listen: \"127.0.0.1:8080\"}\n",
            "5:11: error: webhooks: the router or its replicas use port 8080: choose another one"
        ),
        ("{kind: github, secretFile: /s}", "webhooks: {}\n", "5:11: error: webhooks: `listen` is missing"),
    ])
    func `mistakes in webhooks are reported with place and fix`(webhook: String, rest: String, expected: String) {
        let problems = self.problems(self.repository("url: /srv/a\nwebhook: \(webhook)") + rest)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix("c.yaml:\(expected)") == true, "\(problems)")
    }

    @Test
    func `an address for webhooks of nobody is warned of`() {
        #expect(
            self.problems(Self.minimal + Self.webhooks) == [
                "c.yaml:2:11: warning: webhooks: no repository has a `webhook`: nothing will be delivered here"
            ]
        )
    }

    @Test
    func `two of one name are refused`() {
        let text = "repositories:\n  - {name: a, url: /srv/a}\n  - {name: a, url: /srv/b}\n"
        #expect(
            self.problems(text) == [
                "c.yaml:3:5: error: repositories[1]: there are two repositories named `a`: rename one"
            ]
        )
    }

    @Test
    func `paths too long for a socket say how long they may be`() {
        let long = "/" + String(repeating: "x", count: 110)
        let socket = self.problems(Self.minimal + "socket: \(long)\n").first
        #expect(socket?.contains("may have 103") == true)
        let state = self.problems(Self.minimal + "stateDirectory: \(long)\n").first
        #expect(state?.contains("may have 90") == true)
    }

    @Test
    func `a missing file says what to do`() {
        #expect(throws: ConfigurationError.self) {
            try Configuration.load(path: "/nonexistent/c.yaml", environment: [:])
        }
        do {
            _ = try Configuration.load(path: "/nonexistent/c.yaml", environment: [:])
        } catch {
            let expected = "/nonexistent/c.yaml: error: there is no such file: write one, or name another with --config"
            #expect(error.description == expected)
        }
    }

    @Test
    func `addresses are read as they are written`() {
        #expect(SocketAddress("127.0.0.1:8080") == SocketAddress(host: "127.0.0.1", port: 8080))
        #expect(SocketAddress("[::1]:80")?.description == "[::1]:80")
        for text in ["", ":80", "host", "host:", "host:0", "host:65536", "::1:80", "[x]:80", "a b:80"] {
            #expect(SocketAddress(text) == nil, "\(text)")
        }
    }

    @Test
    func `no mutation of the reference's example crashes`() throws {
        let original = Array(try Self.examples()[1].utf8)
        for seed in 0..<400 {
            var bytes = original
            let index = (seed &* 7919) % bytes.count
            switch seed % 4 {
            case 0: bytes.remove(at: index)
            case 1: bytes[index] = UInt8(truncatingIfNeeded: seed &* 31)
            case 2: bytes.removeSubrange(index..<min(bytes.count, index + seed % 40))
            default: bytes.insert(contentsOf: Array(bytes.suffix(seed % 30)), at: index)
            }
            do {
                let configuration = try Configuration(reading: bytes, path: "c.yaml")
                #expect(!configuration.repositories.isEmpty, "seed \(seed)")
            } catch {
                #expect(!error.diagnostics.isEmpty, "seed \(seed)")
                #expect(error.diagnostics.allSatisfy { $0.line > 0 }, "seed \(seed)")
            }
        }
    }

    private static func reference() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/reference/configuration.md"), encoding: .utf8)
    }

    private static func examples() throws -> [String] {
        try Self.reference().components(separatedBy: "\n```yaml\n").dropFirst().map { part in
            part.components(separatedBy: "\n```")[0] + "\n"
        }
    }

    @Test
    func `two repositories that differ in their folders only are told to share a fetch`() throws {
        func warnings(_ second: String) throws -> [String] {
            let first = "- {name: a, url: /srv/m, path: prod}"
            let text = "repositories:\n\(first)\n- {name: b, url: /srv/m, \(second)}\n"
            return try Configuration(reading: Array(text.utf8), path: "c.yaml").warnings.map(\.description)
        }
        let told = try warnings("paths: [staging, search]")
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("c.yaml:3:3: warning: repositories[1]: this fetches what `a` fetches") == true)
        #expect(try warnings("path: staging, branch: next").isEmpty)
        #expect(try warnings("path: staging, interval: 5m").isEmpty)
    }
}

import ControllerCommands
import Deployments
import Foundation
import Manifests
import Testing

@Suite("The configuration of forges")
struct ForgeConfigurationTests {
    private func read(_ settings: String) throws -> Configuration {
        let lines = settings.split(separator: "\n").map { "    \($0)\n" }.joined()
        return try Configuration(reading: Array("repositories:\n  - name: a\n\(lines)".utf8), path: "c.yaml")
    }

    private func problems(_ settings: String) -> [String] {
        do {
            return try self.read(settings).warnings.map(\.description)
        } catch let error as ConfigurationError {
            return error.diagnostics.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test(arguments: [
        ("https://github.com/team/models.git", "github", "https://api.github.com", "team/models"),
        ("git@github.com:team/models.git", "github", "https://api.github.com", "team/models"),
        ("ssh://git@ssh.github.com:443/team/models.git", "github", "https://api.github.com", "team/models"),
        ("https://git.example/team/models", "github", "https://git.example/api/v3", "team/models"),
        ("https://gitlab.com/a/b/models.git", "gitlab", "https://gitlab.com/api/v4", "a/b/models"),
        ("git@gitlab.com:a/models.git", "gitlab", "https://gitlab.com/api/v4", "a/models"),
        ("https://git.example:8443/team/models.git", "gitea", "https://git.example:8443/api/v1", "team/models"),
        ("https://codeberg.org/team/models.git", "forgejo", "https://codeberg.org/api/v1", "team/models"),
    ])
    func `address and project are known from the repository`(
        remote: String,
        kind: String,
        url: String,
        project: String
    ) throws {
        let configuration = try self.read("url: \"\(remote)\"\nforge: {kind: \(kind), tokenFile: /t}")
        let forge = try #require(configuration.repositories.first?.forge)
        #expect(forge.url == url)
        #expect(forge.project == project)
        #expect(forge.statuses)
        #expect(!forge.comments)
        #expect(forge.name == "controller")
        #expect(configuration.warnings.isEmpty)
    }

    @Test
    func `what is given goes before what is known`() throws {
        let forge = try #require(
            try self.read(
                "url: git@h.example:x.git\nforge: {kind: gitlab, url: \"https://h.example/api/v4/\", "
                    + "project: a/b/c, tokenFile: /t, caFile: /ca.pem, statuses: false, comments: true, name: staging, "
                    + "link: \"https://g.example/?d=${deployment}\"}"
            ).repositories.first?.forge
        )
        #expect(forge.url == "https://h.example/api/v4")
        #expect(forge.project == "a/b/c")
        #expect(forge.caFile == "/ca.pem")
        #expect(!forge.statuses && forge.comments)
        #expect(forge.name == "staging")
        #expect(forge.link == "https://g.example/?d=${deployment}")
    }

    @Test(arguments: [
        ("{tokenFile: /t}", "4:12: error: repositories[0].forge: `kind` is missing"),
        ("{kind: github}", "4:12: error: repositories[0].forge: one of `tokenFile`, `tokenVariable` or `gitHubApp`"),
        ("{kind: gitlab}", "4:12: error: repositories[0].forge: one of `tokenFile` or `tokenVariable` is missing"),
        (
            "{kind: github, tokenFile: /t, tokenVariable: A}",
            "4:12: error: repositories[0].forge: `tokenFile` and `tokenVariable` exclude each other"
        ),
        (
            "{kind: gitea, tokenVariable: \"a b\"}",
            "4:41: error: repositories[0].forge.tokenVariable: expected the name"
        ),
        (
            "{kind: gitlab, gitHubApp: {appID: 1, installationID: 2, privateKeyFile: /k}}",
            "4:38: error: repositories[0].forge.gitHubApp: only GitHub has apps"
        ),
        (
            "{kind: github, gitHubApp: {appID: 1, privateKeyFile: /k}}",
            "4:38: error: repositories[0].forge.gitHubApp: `installationID` is missing"
        ),
        ("{kind: bitbucket, tokenFile: /t}", "4:19: error: repositories[0].forge.kind: unknown value `bitbucket`"),
        ("{kind: github, tokenFile: t}", "4:38: error: repositories[0].forge.tokenFile: expected an absolute path"),
        (
            "{kind: github, tokenFile: /t, token: x}",
            "4:42: error: repositories[0].forge.token: `token` is not available"
        ),
        ("{kind: github, tokenFile: /t, url: \"http://h/api\"}", "4:47: error: repositories[0].forge.url: the token"),
        ("{kind: github, tokenFile: /t, url: \"https://a:b@h\"}", "4:47: error: repositories[0].forge.url: a secret"),
        (
            "{kind: github, tokenFile: /t, project: a/b/c}",
            "4:51: error: repositories[0].forge.project: expected an owner"
        ),
        (
            "{kind: gitlab, tokenFile: /t, project: ../b}",
            "4:51: error: repositories[0].forge.project: expected a group"
        ),
        (
            "{kind: github, tokenFile: /t, link: x}",
            "4:48: error: repositories[0].forge.link: expected an http or https"
        ),
        ("{kind: github, tokenFile: /t, name: \"-->\"}", "4:48: error: repositories[0].forge.name: expected letters"),
        (
            "{kind: github, tokenFile: /t, url: \"http://127.0.0.1:1\", caFile: /a.pem}",
            "4:77: error: repositories[0].forge.caFile: `caFile` is only for https"
        ),
        ("{kind: github, tokenFile: /t, statuses: false}", "4:12: warning: repositories[0].forge: it is told nothing"),
    ])
    func `mistakes in forges are reported with place and fix`(forge: String, expected: String) {
        let problems = self.problems("url: https://github.com/team/models.git\nforge: \(forge)")
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix("c.yaml:\(expected)") == true, "\(problems)")
    }

    @Test
    func `what can't be known from the repository must be given`() {
        #expect(
            self.problems("url: git@git.example:team/models.git\nforge: {kind: gitea, tokenFile: /t}") == [
                "c.yaml:4:12: error: repositories[0].forge: `url` is missing, and can't be known from the repository's: "
                    + "add for example `url: https://git.example/api/v1`"
            ]
        )
        let file = self.problems("url: /srv/models.git\nforge: {kind: gitea, tokenFile: /t, url: \"https://h/api/v1\"}")
        #expect(
            file == [
                "c.yaml:4:12: error: repositories[0].forge: `project` can't be known from the repository's `url`: add for "
                    + "example `project: team/models`"
            ]
        )
    }

    @Test
    func `deployments are refused where there are none`() {
        for (kind, rest, expected) in [
            ("gitea", "", "forge.deployments: Gitea and Forgejo have no deployments: remove this"),
            ("forgejo", "", "forge.deployments: Gitea and Forgejo have no deployments: remove this"),
            ("gitlab", "\ntag: v1", "forge: deployments of GitLab are of a branch: watch a `branch`"),
        ] {
            let forge = "forge: {kind: \(kind), tokenFile: /t, deployments: true}\(rest)"
            let problems = self.problems("url: https://gitlab.com/team/models.git\n\(forge)")
            #expect(problems.count == 1 && problems[0].contains(expected), "\(problems)")
        }
        #expect(
            self.problems(
                "url: https://github.com/team/models.git\nforge: {kind: github, tokenFile: /t, statuses: false, "
                    + "deployments: true}"
            ).isEmpty
        )
    }

    @Test
    func `a GitHub App that opens the repository tells its forge too, unless that has credentials of its own`() throws {
        let app = "{gitHubApp: {appID: 1, installationID: 2, privateKeyFile: /k}}"
        let remote = "url: https://github.com/team/models.git\ncredentials: \(app)\n"
        let shared = try self.read(remote + "forge: {kind: github}").repositories.first
        guard case .gitHubApp(let opener) = shared?.credentials else {
            Issue.record("\(String(describing: shared))")
            return
        }
        #expect(shared?.forge?.credentials == .gitHubApp(opener))
        let own = try self.read(remote + "forge: {kind: github, tokenVariable: GITHUB_TOKEN}").repositories.first?.forge
        #expect(own?.credentials == .tokenVariable("GITHUB_TOKEN"))
        // A forge elsewhere must not get its tokens unasked.
        let elsewhere = self.problems(remote + "forge: {kind: github, url: \"https://git.example/api/v3\"}")
        #expect(elsewhere.first?.contains("forge: one of `tokenFile`, `tokenVariable` or `gitHubApp`") == true)
        // Its tokens come from where the forge is.
        let server = "forge: {kind: github, gitHubApp: {appID: 1, installationID: 2, privateKeyFile: /k}}"
        let there = try self.read("url: https://git.example/team/models.git\n\(server)").repositories.first?.forge
        guard case .gitHubApp(let asked) = there?.credentials else {
            Issue.record("\(String(describing: there))")
            return
        }
        #expect(asked.api == "https://git.example/api/v3")
    }

    @Test
    func `pull requests for reverts need a forge`() throws {
        let remote = "url: https://github.com/team/models.git\nreverts: pullRequest"
        #expect(
            self.problems(remote) == [
                "c.yaml:4:14: error: repositories[0].reverts: only a forge opens pull requests: add `forge`, or use "
                    + "`reverts: branch`"
            ]
        )
        let forge = "\nforge: {kind: github, tokenFile: /t, statuses: false}"
        #expect(self.problems(remote + forge).isEmpty)
        #expect(try self.read(remote + forge).repositories.first?.reverts == .pullRequest)
    }
}

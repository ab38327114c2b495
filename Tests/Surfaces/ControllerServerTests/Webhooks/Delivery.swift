import Testing
import Transport

/// A delivery as a server sends it, with its header fields but for the signature.
struct Delivery: Sendable, CustomTestStringConvertible {
    var title: String
    /// The kind, and so the repository of the fixture.
    var kind: String
    var headers: HTTPHeaders
    var body: String
    var wakes = true

    var testDescription: String { self.title }

    var bytes: [UInt8] { Array(self.body.utf8) }

    /// With the signature that its server sends.
    func signed(by secret: String = WebhookFixture.secret) -> HTTPHeaders {
        var headers = self.headers
        let code = WebhookFixture.hex(self.bytes, by: secret)
        switch self.kind {
        case "github": headers["X-Hub-Signature-256"] = "sha256=\(code)"
        case "gitlab": headers["X-Gitlab-Token"] = secret
        case "gitea":
            if headers["X-Forgejo-Event"] != nil { headers["X-Forgejo-Signature"] = code }
            headers["X-Gitea-Signature"] = code
            headers["X-Hub-Signature-256"] = "sha256=\(code)"
        case "bitbucket": headers["X-Hub-Signature"] = "sha256=\(code)"
        default: headers["X-Signature-256"] = "sha256=\(code)"
        }
        return headers
    }

    static let all = [
        Delivery(
            title: "GitHub, a push",
            kind: "github",
            headers: [
                "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Event": "push",
                "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-GitHub-Hook-ID": "292430182",
                "X-Hub-Signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6",
            ],
            body: #"""
                {"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":
                "59b20b8d5c6ff8d09518454d4dd8b7f30f095ab5","created":false,"deleted":false,"forced":false,
                "commits":[{"id":"59b20b8d5c6ff8d09518454d4dd8b7f30f095ab5","message":"Serve 2 \u2728","added":[],
                "modified":["echo.yaml"]}],"repository":{"id":186853002,"full_name":"team/models","private":true},"pusher":{"name":"ada"}}
                """#
        ),
        Delivery(
            title: "GitHub, a tag",
            kind: "github",
            headers: ["Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Event": "push"],
            body: "payload=%7B%22ref%22%3A%22refs%2Ftags%2Fv1.2.0%22%2C%22created%22%3Atrue%7D"
        ),
        Delivery(
            title: "GitHub, a webhook was made",
            kind: "github",
            headers: ["Content-Type": "application/json", "X-GitHub-Event": "ping"],
            body:
                #"{"zen":"Keep it logically awesome.","hook_id":292430182,"hook":{"events":["push"]}}"#,
            wakes: false
        ),
        Delivery(
            title: "GitLab, a push",
            kind: "gitlab",
            headers: [
                "Content-Type": "application/json", "User-Agent": "GitLab/17.4.2", "X-Gitlab-Event": "Push Hook",
                "X-Gitlab-Webhook-UUID": "c0dcb9c5-5d5c-4b4f-9b3a-9cf0c0f8f2b1",
                "Idempotency-Key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
            ],
            body: #"""
                {"object_kind":"push","event_name":"push","before":"95790bf891e76fee5e1747ab589903a6a1f80f22","after":
                "da1560886d4f094c3e6c9ef40349f7d38b5d27d7","ref":"refs/heads/main","user_name":"Ada","project_id":15,
                "project":{"id":15,"path_with_namespace":"team/models"},"commits":[],"total_commits_count":4}
                """#
        ),
        Delivery(
            title: "GitLab, a tag",
            kind: "gitlab",
            headers: ["Content-Type": "application/json", "X-Gitlab-Event": "Tag Push Hook"],
            body: #"{"object_kind":"tag_push","ref":"refs/tags/v1.2.0","project_id":1,"total_commits_count":0}"#
        ),
        Delivery(
            title: "Gitea, a push",
            kind: "gitea",
            headers: [
                "Content-Type": "application/json", "X-Gitea-Delivery": "f6266f16-1bf3-46a5-9ea4-602e06ead473",
                "X-Gitea-Event": "push", "X-Gitea-Event-Type": "push", "X-Gogs-Event": "push", "X-GitHub-Event": "push",
                "X-Hub-Signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6",
            ],
            body: #"""
                {
                  "ref": "refs/heads/develop",
                  "before": "28e1879d029cb852e4844d9c718537df08844e03",
                  "after": "bffeb74224043ba2feb48d137756c8a9331c449a",
                  "compare_url": "http://localhost:3000/gitea/webhooks/compare/28e1879d029c...bffeb7422404",
                  "commits": [{"id": "bffeb74224043ba2feb48d137756c8a9331c449a", "message": "Webhooks Yay!"}],
                  "repository": {"id": 140, "name": "webhooks", "full_name": "gitea/webhooks", "private": false},
                  "pusher": {"id": 1, "login": "gitea"}
                }
                """#
        ),
        Delivery(
            title: "Forgejo, a tag",
            kind: "gitea",
            headers: [
                "Content-Type": "application/json", "X-Forgejo-Event": "create", "X-Gitea-Event": "create",
                "X-GitHub-Event": "create",
            ],
            body: #"{"sha":"bffeb74224043ba2feb48d137756c8a9331c449a","ref":"v1.2.0","ref_type":"tag"}"#
        ),
        Delivery(
            title: "Bitbucket Cloud, a push",
            kind: "bitbucket",
            headers: [
                "Content-Type": "application/json", "X-Event-Key": "repo:push", "X-Attempt-Number": "1",
                "X-Hook-UUID": "{7e7bd3f5-1a06-4b13-9a8e-cf5f0f1fa02c}", "User-Agent": "Bitbucket-Webhooks/2.0",
            ],
            body: #"""
                {"push":{"changes":[{"old":{"name":"main","type":"branch"},"new":{"name":"main",
                "type":"branch","target":{"hash":"398a5c3837db7b57807a781f648861408fe4b990"}},"created":false,"forced":false,"closed":false}]},
                "repository":{"full_name":"team/models"},"actor":{"display_name":"Ada"}}
                """#
        ),
        Delivery(
            title: "Bitbucket Data Center, a push",
            kind: "bitbucket",
            headers: ["Content-Type": "application/json; charset=utf-8", "X-Event-Key": "repo:refs_changed"],
            body: #"""
                {"eventKey":"repo:refs_changed","date":"2019-06-20T11:36:42+0000",
                "repository":{"slug":"models","id":872},"changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},"refId":"refs/heads/main",
                "fromHash":"d2cc1a8172b575f991a0926d1c5d9bd7dab9f508","toHash":
                "398a5c3837db7b57807a781f648861408fe4b990","type":"UPDATE"}]}
                """#
        ),
        Delivery(
            title: "Bitbucket Data Center, a connection is tested",
            kind: "bitbucket",
            headers: ["Content-Type": "application/json", "X-Event-Key": "diagnostics:ping"],
            body: #"{"test":true}"#,
            wakes: false
        ),
        Delivery(title: "a hook of one's own", kind: "generic", headers: [:], body: ""),
    ]
}

package import Manifests

extension Shape {
    /// Every mapping of the configuration file, the file itself first.
    package static let configurationShapes: [Shape] =
        [
            .configuration, .repository, .signatures, .signaturePath, .deletion, .credentials, .gitHubApp,
            .clientCertificate, .gitCredential, .webhook, .forge, .provider, .webhooks, .metrics, .artifacts,
            .modelRegistry, .api, .oidc, .apiAccess, .local,
            .capacity, .journal, .audit, .jobs, .modelUpdate,
        ] + notificationShapes

    static let configuration = Shape(
        "configuration",
        [
            .optional("stateDirectory", "/var/lib/controller"),
            .optional("socket", "/run/controller/controller.sock"),
            .optional("logLevel", "info"),
            .optional("poll", "1s"),
            .optional("runtimes", "[/usr/share/controller/runtimes]"),
            .required("repositories", "[{name: models, url: \"file:///srv/git/models.git\"}]"),
            .optional("gitCredentials", "[{prefix: \"https://git.example/team/\", tokenFile: /etc/controller/token}]"),
            .optional("providers", "[{name: prometheus, kind: prometheus, url: \"http://127.0.0.1:9090\"}]"),
            .optional("webhooks", "{listen: \"127.0.0.1:8090\"}"),
            .optional(
                "api",
                "{listen: \"0.0.0.0:8443\", certificateFile: /etc/controller/c.pem, keyFile: /etc/controller/k.pem}"
            ),
            .optional("metrics", "{listen: \"127.0.0.1:9464\"}"),
            .optional("artifacts", "{maxSize: 20Gi}"),
            .optional("modelRegistry", "{url: \"https://mlflow.example\"}"),
            .optional("local", "{listen: \"127.0.0.1:8080\"}"),
            .optional("modelUpdates", "[{alias: champion, deployments: [search/file-type]}]"),
            .optional("journal", "{keep: 30d, maxSize: 1Gi}"),
            .optional("audit", "{keep: 1095d, maxSize: 1Gi}"),
            .optional("jobs", "{programs: [/opt/evaluate]}"),
            .optional("notifications", "{receivers: [], routes: []}"),
        ]
    )
    static let repository = Shape(
        "repository",
        [
            .required("name", "models"),
            .required("url", "https://git.example/team/models.git"),
            .optional("branch", "main"),
            .optional("tag", "v1.2.3"),
            .optional("commit", "\"1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00\""),
            .optional("semver", "\">=1.2.0 <2.0.0\""),
            .optional("path", "deployments"),
            .optional("paths", "[staging, prod/search]"),
            .optional("interval", "30s"),
            .optional("timeout", "60s"),
            .optional("historyRewrite", "reject"),
            .optional("signatures", "{require: head, allowedSignersFile: /etc/controller/allowed_signers}"),
            .optional("deletion", "{grace: 5m, maxShare: 30}"),
            .optional("credentials", "{tokenFile: /etc/controller/token}"),
            .optional("caFile", "/etc/ssl/certs/internal.pem"),
            .optional("clientCertificate", "{certificateFile: /etc/controller/c.pem, keyFile: /etc/controller/k.pem}"),
            .optional("proxy", "\"http://proxy.example:3128\""),
            .optional("notes", "true"),
            .optional("reverts", "branch"),
            .optional("promotions", "branch"),
            .optional("webhook", "{kind: github, secretFile: /etc/controller/webhook-secret}"),
            .optional("forge", "{kind: github, tokenFile: /etc/controller/forge-token}"),
        ]
    )
    static let signatures = Shape(
        "signatures",
        [
            .optional("require", "head"),
            .optional("since", "\"1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00\""),
            .optional("allowedSignersFile", "/etc/controller/allowed_signers"),
            .optional("revokedKeysFile", "/etc/controller/revoked_keys"),
            .optional("gpgKeyring", "/etc/controller/git-keyring.asc"),
            .optional("groups", "{prod-approvers: [alice@example.com]}"),
            .optional("paths", "[{path: prod/**, signers: [prod-approvers]}]"),
        ]
    )
    static let modelUpdate = Shape(
        "modelUpdate",
        [
            .required("alias", "champion"), .optional("model", "magika"),
            .required("deployments", "[search/file-type]"), .optional("mode", "branch"), .optional("interval", "1m"),
        ]
    )
    static let signaturePath = Shape(
        "signaturePath",
        [.required("path", "prod/**"), .required("signers", "[prod-approvers]")]
    )
    static let deletion = Shape("deletion", [.optional("grace", "5m"), .optional("maxShare", "30")])
    private static let credentialMembers: [Entry] = [
        .optional("tokenFile", "/etc/controller/token"),
        .optional("tokenVariable", "GIT_TOKEN"),
        .optional("username", "git"),
        .optional("gitHubApp", "{appID: 12345, installationID: 678, privateKeyFile: /etc/controller/app.pem}"),
        .optional("sshKeyFile", "/etc/controller/id_ed25519"),
        .optional("knownHostsFile", "/etc/controller/known_hosts"),
    ]
    private static let noSecrets = [
        "token": "write the token into a file that only the daemon may read, and name it with `tokenFile`",
        "password": "write the password into a file that only the daemon may read, and name it with `tokenFile`",
    ]
    static let credentials = Shape("credentials", Self.credentialMembers, unavailable: Self.noSecrets)
    static let gitCredential = Shape(
        "gitCredential",
        [.required("prefix", "https://git.example/team/")] + Self.credentialMembers,
        unavailable: Self.noSecrets
    )
    static let gitHubApp = Shape(
        "gitHubApp",
        [
            .required("appID", "12345"), .required("installationID", "678"),
            .required("privateKeyFile", "/etc/controller/app.pem"), .optional("api", "https://api.github.com"),
        ],
        unavailable: [
            "privateKey": "write the key into a file that only the daemon may read, and name it with `privateKeyFile`"
        ]
    )
    static let clientCertificate = Shape(
        "clientCertificate",
        [.required("certificateFile", "/etc/controller/client.pem"), .required("keyFile", "/etc/controller/key.pem")]
    )
    static let webhook = Shape(
        "webhook",
        [.required("kind", "github"), .required("secretFile", "/etc/controller/webhook-secret")],
        unavailable: [
            "secret": "write the secret into a file that only the daemon may read, and name it with `secretFile`"
        ]
    )
    static let forge = Shape(
        "forge",
        [
            .required("kind", "github"),
            .optional("url", "https://git.example/api/v4"),
            .optional("project", "team/models"),
            .optional("tokenFile", "/etc/controller/forge-token"),
            .optional("tokenVariable", "GITHUB_TOKEN"),
            .optional("gitHubApp", "{appID: 12345, installationID: 678, privateKeyFile: /etc/controller/app.pem}"),
            .optional("caFile", "/etc/ssl/certs/internal.pem"),
            .optional("statuses", "true"),
            .optional("comments", "true"),
            .optional("deployments", "true"),
            .optional("name", "controller"),
            .optional("link", "\"https://grafana.example/d/rollouts?var-name=${deployment}\""),
        ],
        unavailable: [
            "token": "write the token into a file that only the daemon may read, and name it with `tokenFile`"
        ]
    )
    static let webhooks = Shape("webhooks", [.required("listen", "127.0.0.1:8090")])
    static let metrics = Shape("metrics", [.required("listen", "127.0.0.1:9464")])
    static let provider = Shape(
        "provider",
        [
            .required("name", "prometheus"),
            .required("kind", "prometheus"),
            .required("url", "http://127.0.0.1:9090"),
            .optional("timeout", "5s"),
            .optional("tokenFile", "/etc/controller/prometheus-token"),
        ],
        unavailable: [
            "token": "write the token into a file that only the daemon may read, and name it with `tokenFile`"
        ]
    )
    static let artifacts = Shape(
        "artifacts",
        [
            .optional("directory", "/var/lib/controller/artifacts"),
            .optional("fileRoots", "[/srv/models]"),
            .optional("maxSize", "20Gi"),
            .optional("timeout", "30m"),
        ]
    )
    static let modelRegistry = Shape(
        "modelRegistry",
        [
            .required("url", "https://mlflow.example"),
            .optional("tokenFile", "/etc/controller/mlflow-token"),
            .optional("tokenVariable", "MLFLOW_TRACKING_TOKEN"),
            .optional("user", "controller"),
            .optional("passwordFile", "/etc/controller/mlflow-password"),
            .optional("caFile", "/etc/ssl/certs/internal.pem"),
            .optional("timeout", "30s"),
        ],
        unavailable: Self.noSecrets.merging(
            [
                "password":
                    "write the password into a file that only the daemon may read, and name it with `passwordFile`"
            ]
        ) { $1 }
    )
    static let journal = Shape("journal", [.optional("keep", "30d"), .optional("maxSize", "1Gi")])
    static let audit = Shape("audit", [.optional("keep", "1095d"), .optional("maxSize", "1Gi")])
    static let jobs = Shape("jobs", [.required("programs", "[/opt/evaluate]")])
    static let local = Shape(
        "local",
        [
            .optional("envoy", "/usr/bin/envoy"),
            .optional("listen", "127.0.0.1:8080"),
            .optional("ports", "19000-19999"),
            .optional("environment", "[HOME, LANG]"),
            .optional("capacity", "{memory: 60Gi, gpu: 2}"),
        ]
    )
    static let capacity = Shape(
        "capacity",
        [.optional("cpu", "16"), .optional("memory", "60Gi"), .optional("gpu", "2")]
    )
}

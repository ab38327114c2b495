extension ConfigurationField {
    /// Repositories, and what opens them.
    static let watching: [ConfigurationField] =
        [
            .init("repository.name", .name, nil, "Unique. Letters, digits, and inside also `.` `_` `-`."),
            .init(
                "repository.url",
                .url,
                nil,
                "`file:///…` or an absolute path, `https://…`, `http://…`, `ssh://…` or `user@host:path`. Never with a "
                    + "password."
            ),
            .init(
                "repository.branch",
                .name,
                "main",
                "The watched branch; or one of `tag`, `semver` and `commit`. See [git](git.md#settings)."
            ),
            .init("repository.tag", .name, nil, "A tag in place of a branch, such as `v1.2.3`."),
            .init("repository.semver", .text, nil, "The highest tag in a range of versions, such as `^1.2`."),
            .init("repository.commit", .text, nil, "One commit, by its 40 digits."),
            .init(
                "repository.path",
                .path,
                nil,
                "The watched folder; every YAML file in it must hold [manifests](manifests.md). Default: the whole "
                    + "tree."
            ),
            .init(
                "repository.paths",
                .list,
                nil,
                "Instead of `path`: several folders, none in another, which one fetch brings. See "
                    + "[git](git.md#settings)."
            ),
            .init(
                "repository.interval",
                .duration,
                "30s",
                "Between two looks at the branch or tags, give or take a tenth; at least 1 s. After failures it "
                    + "doubles, up "
                    + "to 5 minutes."
            ),
            .init("repository.timeout", .duration, "60s", "For all that one look does on the network."),
            .init(
                "repository.historyRewrite",
                .choice,
                "reject",
                "What a force push means: `reject` keeps the last commit and reports it, `accept` follows."
            ),
            .init(
                "repository.signatures",
                .mapping,
                nil,
                "Which commits must be [signed](#repositoriessignatures). See [git](git.md#signatures)."
            ),
            .init(
                "repository.deletion",
                .mapping,
                nil,
                "When a manifest that vanishes is [deleted](#repositoriesdeletion)."
            ),
            .init(
                "repository.credentials",
                .mapping,
                nil,
                "What [opens](#repositoriescredentials) it. Default: nothing."
            ),
            .init(
                "repository.caFile",
                .path,
                nil,
                "PEM file with the authorities of an https server. Default: the system's."
            ),
            .init(
                "repository.clientCertificate",
                .mapping,
                nil,
                "For an https server that asks for a certificate; the key has no passphrase."
            ),
            .init(
                "repository.proxy",
                .url,
                nil,
                "`http://host:port` on the way to an http or https server. Default: what the environment says."
            ),
            .init(
                "repository.notes",
                .flag,
                "false",
                "Whether outcomes are written on commits, as git notes. See [git](git.md)."
            ),
            .init(
                "repository.reverts",
                .choice,
                "none",
                "The most that a [revert](git.md#reverts) may do: `none`, write a `branch` of its own, open a "
                    + "`pullRequest` "
                    + "for it (needs `forge`), or `push` to the watched branch."
            ),
            .init(
                "repository.promotions",
                .choice,
                "none",
                "The most that a [model promotion](git.md#model-promotion) may do: `none`, write a `branch` of its "
                    + "own, or "
                    + "open a `pullRequest` for it (needs `forge`)."
            ),
            .init(
                "repository.webhook",
                .mapping,
                nil,
                "How its server [tells of pushes](#repositorieswebhook). Needs `webhooks`. See "
                    + "[webhooks](git.md#webhooks)."
            ),
            .init(
                "repository.forge",
                .mapping,
                nil,
                "The server that [shows people](#repositoriesforge) what became of their commits. See "
                    + "[forges](forges.md)."
            ),
            .init("signatures.require", .choice, "none", "`none`, `head` (the newest), or each one `since` a commit."),
            .init("signatures.since", .text, nil, "The 40 digits of the last commit that need not be signed."),
            .init("signatures.allowedSignersFile", .path, nil, "The SSH keys that count."),
            .init("signatures.revokedKeysFile", .path, nil, "Those that do not any more."),
            .init("signatures.gpgKeyring", .path, nil, "The OpenPGP keys that count."),
            .init("signatures.groups", .mapping, nil, "Names for several signers."),
            .init("signatures.paths", .list, nil, "Whose signature a change of some files needs."),
            .init("signaturePath.path", .text, nil, "A pattern, such as `prod/**`."),
            .init("signaturePath.signers", .list, nil, "Groups or signers; one of them is enough."),
            .init("deletion.grace", .duration, "5m", "How long it must stay gone."),
            .init(
                "deletion.maxShare",
                .count,
                "30",
                "Percent of the repository's deployments that one commit may remove; of more an operator decides."
            ),
        ] + Self.opening + [
            .init("clientCertificate.certificateFile", .path, nil, "PEM."),
            .init("clientCertificate.keyFile", .path, nil, "PEM."),
            .init("webhook.kind", .choice, nil, "`github`, `gitlab`, `gitea` (Forgejo too), `bitbucket` or `generic`."),
            .init("webhook.secretFile", .path, nil, "Each line is a secret."),
            .init("forge.kind", .choice, nil, "`github`, `gitlab`, `gitea` or `forgejo`."),
            .init("forge.url", .url, nil, "Of its API. Default: from the repository's URL."),
            .init("forge.project", .text, nil, "Default: from the repository's URL."),
            .init(
                "forge.tokenFile",
                .path,
                nil,
                "What opens it, in the first line. Default: the app of `credentials`."
            ),
            .init("forge.tokenVariable", .name, nil, "The same, in a variable of the daemon's environment."),
            .init("forge.gitHubApp", .mapping, nil, "The same, by a GitHub App."),
            .init("forge.caFile", .path, nil, "PEM file with its authorities. Default: the system's."),
            .init("forge.statuses", .flag, "true", "Whether commits show the state of each deployment."),
            .init("forge.comments", .flag, "false", "Whether merged pull requests get a comment."),
            .init("forge.deployments", .flag, "false", "Whether it shows deployments of its own kind."),
            .init(
                "forge.name",
                .name,
                "controller",
                "What statuses begin with: controllers of one repository differ in it."
            ),
            .init("forge.link", .url, nil, "Where a status leads, with `${deployment}` in it."),
        ]

    /// Of a repository's credentials, and of those that many have in common.
    private static let opening: [ConfigurationField] =
        [.init("gitCredential.prefix", .url, nil, "The beginning of URLs, with a slash at its end.")]
        + ["credentials", "gitCredential"].flatMap { shape -> [ConfigurationField] in
            [
                .init("\(shape).tokenFile", .path, nil, "For http and https: the token is its first line."),
                .init("\(shape).tokenVariable", .name, nil, "The same, in a variable of the daemon's environment."),
                .init("\(shape).username", .name, "git", "Whose token it is."),
                .init("\(shape).gitHubApp", .mapping, nil, "The same, by a [GitHub App](git.md#a-github-app)."),
                .init("\(shape).sshKeyFile", .path, nil, "For ssh: a private key without passphrase."),
                .init("\(shape).knownHostsFile", .path, nil, "For ssh: the servers' keys."),
            ]
        } + [
            .init("gitHubApp.appID", .count, nil, "The app."),
            .init("gitHubApp.installationID", .count, nil, "Where it is installed."),
            .init("gitHubApp.privateKeyFile", .path, nil, "Its key, PEM."),
            .init("gitHubApp.api", .url, "https://api.github.com", "Where it gets tokens."),
        ]
}

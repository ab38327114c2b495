extension ConfigurationField {
    /// Whom the controller asks, and who asks it.
    static let asking: [ConfigurationField] =
        [
            .init(
                "provider.name",
                .name,
                nil,
                "What AnalysisTemplates name; `prometheus` when they name none. Not `feedback`, which is [what the "
                    + "controller is told](feedback.md)."
            ),
            .init(
                "provider.kind",
                .choice,
                nil,
                "`prometheus`, or `webhook`: a service that [decides on steps](metric-providers.md#webhooks). Its "
                    + "`timeout` "
                    + "is the gate's."
            ),
            .init("provider.url", .url, nil, "http or https, without user and password."),
            .init("provider.timeout", .duration, "5s", "For one answer."),
            .init("provider.tokenFile", .path, nil, "A bearer token in its first line."),
            .init(
                "webhooks.listen",
                .address,
                nil,
                "Where deliveries of webhooks arrive, by plain HTTP: for a reverse proxy with TLS. Not a "
                    + "port of `local`."
            ),
            .init(
                "metrics.listen",
                .address,
                nil,
                "Where Prometheus reads the controller's [metrics](metrics.md), by plain HTTP. Who reaches it may "
                    + "read them. "
                    + "Not a port of `local`."
            ),
            .init(
                "modelRegistry.url",
                .url,
                nil,
                "The [MLflow server](artifacts.md#mlflows-registry) that `models:` URIs of manifests are looked up in, "
                    + "without `/api/2.0`. A proxy is what the environment says."
            ),
            .init(
                "modelRegistry.tokenFile",
                .path,
                nil,
                "A bearer token in its first line, read for every request. It needs to read registered "
                    + "models and their "
                    + "artifacts."
            ),
            .init("modelRegistry.tokenVariable", .name, nil, "The same, in a variable of the daemon's environment."),
            .init("modelRegistry.user", .name, nil, "Instead of a token."),
            .init("modelRegistry.passwordFile", .path, nil, "The password of `user`, in its first line."),
            .init("modelRegistry.caFile", .path, nil, "PEM file with its authorities. Default: the system's."),
            .init(
                "modelRegistry.timeout",
                .duration,
                "30s",
                "For one question; for a download `artifacts.timeout` counts."
            ),
            .init(
                "modelUpdate.alias",
                .name,
                nil,
                "An alias of the `modelRegistry`, such as `champion`. When it moves, a "
                    + "[promotion](git.md#model-promotion) is proposed to git, once."
            ),
            .init(
                "modelUpdate.model",
                .name,
                nil,
                "The registry's name of a model, when only its deployments are meant."
            ),
            .init(
                "modelUpdate.deployments",
                .list,
                nil,
                "Who follows the alias: `namespace/name`, or `namespace/*` for all of a namespace."
            ),
            .init(
                "modelUpdate.mode",
                .choice,
                "branch",
                "`branch`, or `pullRequest` where the repository's `promotions` allows it."
            ),
            .init(
                "modelUpdate.interval",
                .duration,
                "1m",
                "Between two looks at the registry, give or take a tenth; at least 1 s. After failures it "
                    + "doubles, up to 5 "
                    + "minutes."
            ),
        ] + Self.entering

    /// Who may use the API over the network.
    private static let entering: [ConfigurationField] = [
        .init("api.listen", .address, nil, "Where it is served, not a port of `local`."),
        .init("api.certificateFile", .path, nil, "PEM: the certificate, and what leads from it to an authority."),
        .init("api.keyFile", .path, nil, "PEM."),
        .init("api.oidc", .mapping, nil, "An [OpenID Connect provider](#apioidc). Default: only `controller token`."),
        .init("api.access", .list, "[]", "What people of the provider [may do](#apiaccess)."),
        .init("oidc.issuer", .url, nil, "As its tokens have it."),
        .init("oidc.audience", .text, nil, "What tokens are meant for."),
        .init("oidc.nameClaim", .name, "sub", "The claim that names a person."),
        .init("oidc.groupsClaim", .name, "groups", "The claim that lists a person's groups."),
        .init("oidc.caFile", .path, nil, "PEM file with its authorities. Default: the system's."),
        .init("apiAccess.users", .list, nil, "Names, as the provider has them."),
        .init("apiAccess.groups", .list, nil, "Likewise; one of the two must be there."),
        .init("apiAccess.role", .choice, nil, "A set of verbs; or list them in `verbs`."),
        .init("apiAccess.verbs", .list, "[]", "Single verbs, as in [the API](api.md)."),
        .init("apiAccess.namespaces", .list, nil, "Where. Default: everywhere."),
    ]
}

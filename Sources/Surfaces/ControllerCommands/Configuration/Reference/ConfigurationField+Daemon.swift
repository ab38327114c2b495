extension ConfigurationField {
    /// Every setting; a test holds it complete.
    package static let all = Self.daemon + Self.watching + Self.asking + Self.placing + Self.telling

    /// The file's own members.
    private static let daemon: [ConfigurationField] = [
        .init(
            "configuration.stateDirectory",
            .path,
            "/var/lib/controller",
            "Everything that the daemon remembers, and what replicas write. Cannot change while it runs."
        ),
        .init(
            "configuration.socket",
            .path,
            "/run/controller/controller.sock",
            "The Unix socket of the API, of at most 103 bytes. Commands look there too, unless `--socket` or "
                + "`CONTROLLER_SOCKET` says otherwise."
        ),
        .init(
            "configuration.logLevel",
            .choice,
            "info",
            "`trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`."
        ),
        .init(
            "configuration.poll",
            .duration,
            "1s",
            "Between two observations of replicas, router and metrics, each followed by a decision: 100 ms to 3 s."
        ),
        .init(
            "configuration.runtimes",
            .list,
            "[]",
            "Folders with the ServingRuntimes and AnalysisTemplates that ship. One in git goes before one of its name "
                + "here."
        ),
        .init("configuration.repositories", .list, nil, "What is watched: at least one [repository](#repositories)."),
        .init(
            "configuration.gitCredentials",
            .list,
            "[]",
            "What opens repositories that have no `credentials` of their own, by the [beginning of their "
                + "URL](#gitcredentials); the longest counts."
        ),
        .init("configuration.providers", .list, "[]", "[Services](#providers) that gates ask."),
        .init("configuration.webhooks", .mapping, nil, "Where git servers may [tell of pushes](#webhooks)."),
        .init(
            "configuration.metrics",
            .mapping,
            nil,
            "Where Prometheus may read the controller's [metrics](#metrics)."
        ),
        .init("configuration.artifacts", .mapping, nil, "Where [model files](#artifacts) are kept."),
        .init("configuration.modelRegistry", .mapping, nil, "The [MLflow server](#modelregistry) of `models:` URIs."),
        .init(
            "configuration.api",
            .mapping,
            nil,
            "The API over [TLS](#api), beside the socket. Default: the socket only."
        ),
        .init("configuration.local", .mapping, nil, "[Replicas and router](#local) on this machine."),
        .init(
            "configuration.modelUpdates",
            .list,
            "[]",
            "Who [follows an alias](#modelupdates) of the model registry. Where several list a deployment, the first "
                + "counts."
        ),
        .init("configuration.journal", .mapping, nil, "How long [decisions](#journal) are kept."),
        .init("configuration.audit", .mapping, nil, "How long [entries](#audit) of who did what are kept."),
        .init("configuration.notifications", .mapping, nil, "Who is [told](#notifications) what. Default: nobody."),
        .init("configuration.jobs", .mapping, nil, "The [programs](#jobs) that manifests may run; without it, none."),
    ]

    /// Where models, replicas and decisions are.
    private static let placing: [ConfigurationField] = [
        .init(
            "artifacts.directory",
            .path,
            nil,
            "Model files that were fetched. Default: `artifacts` in the state directory."
        ),
        .init(
            "artifacts.fileRoots",
            .list,
            "[]",
            "Folders under which the `file:` URIs of manifests must lie. Without any, such URIs are refused."
        ),
        .init(
            "artifacts.maxSize",
            .size,
            "20Gi",
            "Of all [artifacts](artifacts.md) together, and so of one. The longest unused ones go first."
        ),
        .init("artifacts.timeout", .duration, "30m", "For one artifact to arrive."),
        .init("local.envoy", .path, "envoy", "The router's program; a name is looked up in `PATH`."),
        .init("local.listen", .address, "127.0.0.1:8080", "Where the router takes requests."),
        .init(
            "local.ports",
            .range,
            "19000-19999",
            "What replicas listen on. Nothing else should use them, nor may `listen`."
        ),
        .init(
            "local.environment",
            .list,
            "[]",
            "The daemon's variables that replicas inherit, by name; `PATH` always."
        ),
        .init(
            "local.capacity",
            .mapping,
            nil,
            "What all replicas together may use, by the `resources` of their manifests. A rollout that does not fit "
                + "beside what runs starts nothing and says why, until there is room. What a manifest leaves out is "
                + "not "
                + "counted."
        ),
        .init("capacity.cpu", .count, nil, "Cores. Default: any."),
        .init("capacity.memory", .size, nil, "Default: the machine's."),
        .init("capacity.gpu", .count, nil, "Devices. Default: the machine's NVIDIA devices."),
        .init(
            "journal.keep",
            .duration,
            "30d",
            "How long [decisions](cli.md#controller-history-name) are kept, to be replayed. The newest of each "
                + "deployment stay. Events are kept for ever."
        ),
        .init("journal.maxSize", .size, "1Gi", "Of all decisions together; the oldest go first."),
        .init(
            "jobs.programs",
            .list,
            nil,
            "Folders whose programs [job gates](manifests.md#job) may run, with any arguments, as the daemon's "
                + "user. So "
                + "no shell and no interpreter should be in them, but scripts that begin with `#!`. Whoever may write "
                + "into git may run them."
        ),
    ]
}

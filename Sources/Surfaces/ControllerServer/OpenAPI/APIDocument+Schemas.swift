import ControllerAPI

extension APIDocument {
    /// One event of the stream; its `data` is JSON.
    static let event = Schema([
        "description": "One event; `id` says where to go on.",
        "oneOf": .list([
            Self.event("reset", "Forget what you have: so many deployments follow.", ["type": "object"]),
            Self.event("deployment", "One that is new or changed.", Schema.reference("DeploymentSummary").json),
            Self.event("removed", "The `namespace` and `name` of one that is gone.", ["type": "object"]),
            Self.event("transition", "What happened.", Schema.reference("EventStatus").json),
            Self.event("end", "The controller ends the stream; `reason` says why.", ["type": "object"]),
        ]),
    ])

    private static func event(_ name: String, _ description: String, _ content: JSONValue) -> JSONValue {
        [
            "type": "object", "description": .text(description), "required": ["event", "data"],
            "properties": [
                "event": ["const": .text(name)],
                "data": ["type": "string", "contentMediaType": "application/json", "contentSchema": content],
                "id": ["type": "string"],
            ],
        ]
    }

    static let schemas =
        Self.requests + Self.fleetSchemas + Self.deploymentSchemas + Self.accessSchemas + Self.auditSchemas
        + Self.seriesSchemas
        + Self.answerSchemas

    private static let fleetSchemas = [
        ObjectSchema(
            "FleetStatus",
            "All deployments and repositories at one moment.",
            [
                .always("time", .time, "When the snapshot was taken."),
                .always("deployments", .list(of: .reference("DeploymentStatus"))),
                .always("sources", .list(of: .reference("SourceStatus"))),
                .maybe("unknown", .texts, "Served by the router, while nothing is known of them."),
                .maybe("configuration", .reference("ConfigurationStatus")),
                .maybe("freezes", .list(of: .reference("FreezeStatus")), "Those of operators that stand."),
                .maybe("receivers", .list(of: .reference("ReceiverStatus")), "Those who are told of what happens."),
            ]
        ),
        ObjectSchema(
            "SourceStatus",
            "The state of one watched repository.",
            [
                .always("repository", .text), .always("branch", .text), .maybe("commit", .text),
                .maybe("lastPolled", .time),
                .maybe("problem", .text, "Why the last poll failed; the last good commit stands."),
                .always("diagnostics", .texts, "Problems that concern no single deployment."),
                .maybe("undelivered", .texts, "What git could not be told yet, and why."),
                .maybe("lastRevert", .text, "What became of the newest revert."),
                .maybe("webhook", .reference("WebhookStatus")),
            ]
        ),
        ObjectSchema(
            "ReceiverStatus",
            "How it goes with one receiver of notifications, since the controller started.",
            [
                .always("name", .text), .always("waiting", .count), .always("delivered", .count),
                .always("refused", .count), .always("leftOut", .count, "Dropped, as too much waited for too long."),
                .maybe("problem", .text, "Why the last try failed."), .maybe("problemSince", .time),
                .maybe("lastDelivered", .time),
            ]
        ),
        ObjectSchema(
            "WebhookStatus",
            "What came to a repository's webhook since the controller started.",
            [.maybe("lastDelivered", .time), .maybe("lastRefused", .time), .maybe("refusal", .text)]
        ),
        ObjectSchema(
            "DeploymentPage",
            "Some of the fleet, by name.",
            [
                .always("time", .time, "When the snapshot was taken."),
                .always("deployments", .list(of: .reference("DeploymentSummary"))),
                .maybe("next", .text, "Where to go on, as `after`; left out at the end."),
            ]
        ),
        ObjectSchema(
            "DeploymentSummary",
            "One deployment in short.",
            [
                .always("namespace", .text), .always("name", .text),
                .always("phase", .one(of: DeploymentStatus.phases)),
                .always("health", .one(of: DeploymentStatus.Health.self)),
                .always("message", .text, "What is going on and what it waits for."),
                .always("since", .time, "When the phase began."),
                .always("holds", .texts, "The kinds of what stops progress."),
                .maybe("labels", .labels), .maybe("stable", .reference("RevisionSummary")),
                .maybe("canary", .reference("RevisionSummary")),
            ]
        ),
        ObjectSchema(
            "RevisionSummary",
            "One revision in short.",
            [
                .always("revision", .text, "Its whole digest."), .always("modelName", .text),
                .always("modelVersion", .text), .maybe("weight", .percent, "Percent of the traffic."),
            ]
        ),
    ]

    private static let answerSchemas = [
        ObjectSchema(
            "OperatorAnswer",
            "What a command changed.",
            [
                .always("accepted", .flag, "False when it was refused."),
                .always("changed", .flag, "False when the world already was as the command wants it."),
                .always("message", .text, "What changed, or why not and what to do."),
            ]
        ),
        ObjectSchema(
            "BatchAnswer",
            "What became of each, sorted by name.",
            [
                .always("answers", .list(of: .reference("BatchEntry"))),
                .maybe(
                    "within",
                    .texts,
                    "The namespaces that were looked at, where the caller may not ask it everywhere."
                ),
            ]
        ),
        ObjectSchema(
            "BatchEntry",
            "What became of one.",
            [
                .always("deployment", .text), .always("accepted", .flag), .always("changed", .flag),
                .always("message", .text),
            ]
        ),
        ObjectSchema(
            "ModelAnswer",
            "What is proposed, or would be.",
            [
                .always("accepted", .flag), .always("changed", .flag), .always("message", .text),
                .maybe("model", .text), .maybe("from", .text, "The URI that git names."), .maybe("version", .text),
                .maybe("digest", .text), .always("warnings", .texts),
                .maybe("diff", .text, "Of a dry run: what the commit would change."),
            ]
        ),
        ObjectSchema(
            "FeedbackAnswer",
            "What became of labels.",
            [
                .always("counted", .count), .always("repeated", .count, "Of requests that had a label before."),
                .always("unknown", .count, "By revisions that have no part in the deployment."),
                .always("unknownRevisions", .texts, "Those, at most ten."),
            ]
        ),
        ObjectSchema(
            "LogStatus",
            "What a replica wrote, and how much of it.",
            [
                .always("replica", .text), .always("size", .count, "Bytes."), .always("modified", .time),
                .always("isCurrent", .flag, "Whether the replica is there still."),
            ]
        ),
        ObjectSchema(
            "LogPiece",
            "A part of what a replica wrote.",
            [
                .always("replica", .text), .always("offset", .count, "The place of its first byte."),
                .always("next", .count, "Where to go on."), .always("text", .text),
            ]
        ),
        ObjectSchema(
            "TrafficStatus",
            "What a stable revision counted lately, while nothing else had traffic.",
            [
                .always("deployment", .text), .always("revision", .text),
                .always("pieceSeconds", .number, "How long each piece is."),
                .always("errors", .list(of: .reference("TrafficPiece")), "5xx, resets and timeouts; oldest first."),
                .always("clientErrors", .list(of: .reference("TrafficPiece")), "4xx."),
                .maybe("latency", .reference("TrafficLatency")),
            ]
        ),
        ObjectSchema(
            "TrafficLatency",
            "Answers that a latency gate calls slow.",
            [.always("boundMilliseconds", .number), .always("pieces", .list(of: .reference("TrafficPiece")))]
        ),
        ObjectSchema(
            "TrafficPiece",
            "Counts of some seconds.",
            [.always("requests", .count), .always("bad", .count)]
        ),
        ObjectSchema(
            "SpecStatus",
            "Each value of a deployment as the last commit that was read wants it.",
            [
                .always("deployment", .text), .always("repository", .text), .always("branch", .text),
                .always("commit", .text), .always("file", .text),
                .always("values", .list(of: .reference("SpecValue"))), .always("problems", .texts),
            ]
        ),
        ObjectSchema(
            "SpecValue",
            "One value, and where it comes from.",
            [
                .always("field", .text), .always("value", .text),
                .always("origin", .text, "`prod/defaults.yaml:7`, or `default` for what is built in."),
            ]
        ),
        ObjectSchema(
            "Problem",
            "Why a request was not answered (RFC 9457).",
            [
                .always("type", .text), .always("title", .text),
                .always("status", Schema(["type": "integer", "minimum": 400, "maximum": 599]), "The HTTP status."),
                .always("detail", .text, "What happened and what to do, for people."),
            ]
        ),
    ]
}

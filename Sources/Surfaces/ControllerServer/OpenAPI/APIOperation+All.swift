import ControllerAPI
import Deployments

extension APIOperation {
    static let health = APIOperation(
        "getHealth",
        .get,
        APIRoute.health,
        "Whether the daemon serves",
        answers: [.text("text/plain", "It does.")]
    )

    static let document = APIOperation(
        "getDocument",
        .get,
        APIRoute.document,
        "This document",
        answers: [.json(Schema(["type": "object"]), "An OpenAPI 3.1 document.")]
    )

    static let fleet = APIOperation(
        "getFleet",
        .get,
        APIRoute.fleet,
        "All deployments and repositories at one moment",
        [.known],
        answers: [.json(.reference("FleetStatus"), "The fleet.", isTagged: true), .unchanged]
    )

    static let deployments = APIOperation(
        "listDeployments",
        .get,
        APIRoute.deployments,
        "Deployments in short form, by name",
        [
            .query("limit", .range(1...APIRoute.pageLimit, APIRoute.defaultPageLimit), "The most that are listed."),
            .query("after", .deploymentName, "The `next` of the page before."),
            .query("namespace", .text, "Only those of this namespace."),
            .query("phase", .one(of: DeploymentStatus.phases), "Only those in this phase."),
            .query("health", .one(of: DeploymentStatus.Health.self), "Only those of this health."),
            .query(
                "selector",
                Schema(["type": "string", "pattern": "^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$"]),
                "Only those with these labels: `team=search,tier=gold`."
            ),
            .known,
        ],
        answers: [.json(.reference("DeploymentPage"), "A page.", isTagged: true), .unchanged],
        problems: [400]
    )

    static let watch = APIOperation(
        "watch",
        .get,
        APIRoute.watch,
        "What changes, as server-sent events, until one of both ends the connection",
        [
            .query("namespace", .text, "Only what concerns this namespace."),
            .query("deployment", .deploymentName, "Only what concerns this deployment, `namespace/name`."),
            .query("after", .place, "As Last-Event-ID, for whoever cannot send a header."),
            Parameter(
                name: "Last-Event-ID",
                place: .header,
                schema: .place,
                description: "The last `id` that was read, or the number of an event: the stream goes on behind it."
            ),
        ],
        answers: [
            Answer(
                status: 200,
                description: "A stream of events.",
                mediaType: ServerSentEvent.mediaType,
                schema: .reference("StreamEvent"),
                isTagged: false
            )
        ],
        problems: [400, 404, 503]
    )

    static let events = APIOperation(
        "listEvents",
        .get,
        "\(APIRoute.root)/events",
        "What happened to all deployments, oldest first",
        [
            .historyLimit,
            .query("after", .journalNumber, "The first so many behind the event with this `id`, not the newest."),
            .query("namespace", .text, "Only those of this namespace."),
        ],
        answers: [.json(.list(of: .reference("EventStatus")), "Events.")],
        problems: [400, 500]
    )

    static let decisions = APIOperation(
        "getDecisions",
        .get,
        "\(APIRoute.root)/decisions",
        "The next chapter of recorded decisions",
        [
            .query("after", .journalNumber, "The chapter before."),
            .query("deployment", .deploymentName, "Only those of this deployment, `namespace/name`."),
        ],
        answers: [.text("application/jsonl", "Lines of an export."), .empty(204, "There are no more.")],
        problems: [400, 500]
    )

    static let deployment = APIOperation(
        "getDeployment",
        .get,
        "\(Self.deploymentPath)",
        "One deployment",
        Parameter.deployment + [.known],
        answers: [.json(.reference("DeploymentStatus"), "The deployment.", isTagged: true), .unchanged],
        problems: [404]
    )

    static let history = APIOperation(
        "getHistory",
        .get,
        "\(Self.deploymentPath)/history",
        "The newest events of a deployment, oldest first",
        Parameter.deployment + [.historyLimit],
        answers: [.json(.list(of: .reference("EventStatus")), "Events.")],
        problems: [400, 404, 500]
    )

    static let plan = APIOperation(
        "getPlan",
        .get,
        "\(Self.deploymentPath)/plan",
        "What the controller wants of a deployment now, and does next for that",
        Parameter.deployment + [.known],
        answers: [.json(.reference("PlanStatus"), "Its plan.", isTagged: true), .unchanged],
        problems: [404]
    )

    static let logs = APIOperation(
        "listLogs",
        .get,
        "\(Self.deploymentPath)/logs",
        "What replicas wrote, the newest first",
        Parameter.deployment,
        answers: [.json(.list(of: .reference("LogStatus")), "The logs that are kept.")]
    )

    static let log = APIOperation(
        "readLog",
        .get,
        "\(Self.deploymentPath)/logs/{replica}",
        "What a replica wrote, from a place on",
        Parameter.deployment + [
            Parameter(name: "replica", place: .path, schema: .text, description: "As the list of logs names it."),
            .query(
                "from",
                Schema(["type": "integer", "format": "int64", "minimum": -1_099_511_627_775, "default": 0]),
                "The first byte; counted from the end when it is negative."
            ),
        ],
        answers: [.json(.reference("LogPiece"), "At most 256 KiB of it.")],
        problems: [400, 404]
    )

    static let traffic = APIOperation(
        "getTraffic",
        .get,
        "\(Self.deploymentPath)/traffic",
        "What the stable revision counted lately",
        Parameter.deployment,
        answers: [.json(.reference("TrafficStatus"), "Counts.")],
        problems: [404]
    )

    static let series = APIOperation(
        "getSeries",
        .get,
        "\(Self.deploymentPath)/series",
        "What the gates of the newest rollout measured over time",
        Parameter.deployment,
        answers: [.json(.reference("SeriesStatus"), "At most 240 points of each gate.")],
        problems: [404]
    )

    static let spec = APIOperation(
        "getSpec",
        .get,
        "\(Self.deploymentPath)/spec",
        "Where each value of the manifest comes from",
        Parameter.deployment,
        answers: [.json(.reference("SpecStatus"), "Each value and its origin.")],
        problems: [404]
    )

    static let batch = APIOperation(
        "commandMany",
        .post,
        APIRoute.commands,
        "Asks the same of many deployments",
        [.idempotencyKey],
        body: Body(schema: .reference("BatchRequest"), description: "At most 1 MiB."),
        answers: [.json(.reference("BatchAnswer"), "What became of each.")],
        problems: [400, 403, 409, 413, 422, 503]
    )

    static let command = APIOperation(
        "command",
        .post,
        "\(Self.deploymentPath)/commands",
        "Asks something of one deployment",
        Parameter.deployment + [.idempotencyKey],
        body: Body(schema: .reference("OperatorRequest"), description: "At most 64 KiB."),
        answers: [.json(.reference("OperatorAnswer"), "What changed, or why it was refused.")],
        problems: [400, 403, 404, 409, 413, 422, 503]
    )

    static let model = APIOperation(
        "promoteModel",
        .post,
        "\(Self.deploymentPath)/model",
        "Proposes another version of the model to git",
        Parameter.deployment + [.idempotencyKey],
        body: Body(schema: .reference("ModelRequest"), description: "At most 64 KiB."),
        answers: [.json(.reference("ModelAnswer"), "What is proposed, or why not.")],
        problems: [400, 403, 404, 409, 413, 422, 503]
    )

    static let feedback = APIOperation(
        "tellFeedback",
        .post,
        "\(Self.deploymentPath)/feedback",
        "Labels of answered requests",
        Parameter.deployment + [.idempotencyKey],
        body: Body(schema: .reference("Feedback"), description: "At most 1000 labels and 256 KiB."),
        answers: [.json(.reference("FeedbackAnswer"), "How many were counted.")],
        problems: [400, 403, 404, 409, 413, 422, 503]
    )

    static let whoami = APIOperation(
        "whoAmI",
        .get,
        APIRoute.whoami,
        "Who asks, as the controller sees it",
        answers: [.json(.reference("CallerStatus"), "Who asks.")]
    )

    static let tokens = APIOperation(
        "listTokens",
        .get,
        APIRoute.tokens,
        "The tokens of those who may ask over the network",
        answers: [.json(.list(of: .reference("TokenStatus")), "All that have not ended, by name.")],
        problems: [403, 404]
    )

    static let createToken = APIOperation(
        "createToken",
        .post,
        APIRoute.tokens,
        "Makes a token, which is told this once",
        body: Body(schema: .reference("TokenRequest"), description: "At most 64 KiB."),
        answers: [
            Answer(
                status: 201,
                description: "The token.",
                mediaType: "application/json",
                schema: .reference("TokenAnswer"),
                isTagged: false
            )
        ],
        problems: [400, 403, 404, 413, 503]
    )

    static let revokeToken = APIOperation(
        "revokeToken",
        .delete,
        "\(APIRoute.tokens)/{id}",
        "Revokes a token",
        [Parameter(name: "id", place: .path, schema: .text, description: "As the list of tokens has it.")],
        answers: [.json(.reference("TokenStatus"), "What was revoked.")],
        problems: [403, 404, 503]
    )

    static let testReceiver = APIOperation(
        "testReceiver",
        .post,
        "\(APIRoute.root)/receivers/{receiver}/test",
        "Sends a test to a receiver of notifications",
        [
            Parameter(name: "receiver", place: .path, schema: .text, description: "As it is configured."),
            .idempotencyKey,
        ],
        body: Body(schema: .reference("ReceiverTest"), description: "At most 64 KiB."),
        answers: [.json(.reference("OperatorAnswer"), "What the receiver answered.")],
        problems: [400, 403, 409, 413, 422, 503]
    )

    private static let deploymentPath = "\(APIRoute.deployments)/{namespace}/{name}"
}

extension APIOperation.Answer {
    fileprivate static let unchanged = APIOperation.Answer.empty(
        304,
        "Nothing changed since the answer with that ETag.",
        isTagged: true
    )
}

extension APIOperation.Parameter {
    fileprivate static let deployment = [
        APIOperation.Parameter(name: "namespace", place: .path, schema: .text, description: "Of the deployment."),
        APIOperation.Parameter(name: "name", place: .path, schema: .text, description: "Of the deployment."),
    ]

    fileprivate static let known = APIOperation.Parameter(
        name: "If-None-Match",
        place: .header,
        schema: .text,
        description: "The ETag of an answer of before."
    )

    static let idempotencyKey = APIOperation.Parameter(
        name: APIRoute.idempotencyKey,
        place: .header,
        schema: Schema([
            "type": "string", "minLength": 1, "maxLength": .integer(APIRoute.idempotencyKeyLimit),
            "pattern": "^[!-~]+$",
        ]),
        description: "A name for this request. Sent again within 24 h, it is answered as before and not done again."
    )

    static let historyLimit = query(
        "limit",
        .range(1...APIRoute.historyLimit, APIRoute.defaultHistoryLimit),
        "The most that are listed."
    )

    static func query(_ name: String, _ schema: Schema, _ description: String) -> Self {
        Self(name: name, place: .query, schema: schema, description: description)
    }
}

extension Schema {
    static let journalNumber = Schema([
        "type": "integer", "format": "int64", "minimum": 0, "maximum": .integer(Int(Int64.max)),
    ])
    fileprivate static let deploymentName = Schema(["type": "string", "pattern": .text(DeploymentID.pattern)])
    fileprivate static let place = Schema([
        "type": "string", "pattern": #"^[0-9]{1,18}(\.[0-9a-z]{1,32}\.[0-9]{1,18})?$"#,
    ])

    fileprivate static func range(_ range: ClosedRange<Int>, _ usual: Int) -> Schema {
        Schema([
            "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
            "default": .integer(usual),
        ])
    }
}

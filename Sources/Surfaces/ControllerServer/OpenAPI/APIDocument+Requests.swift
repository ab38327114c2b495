import ControllerAPI
import Deployments

extension APIDocument {
    /// What is sent to the controller.
    static let requests = [
        ObjectSchema(
            "OperatorRequest",
            "What an operator asks of one deployment.",
            [
                .always("verb", .one(of: OperatorRequest.Verb.self)),
                .taken("by", .text, "The person behind a `sudo`; who connects is known."),
                .taken("why", .text, "The reason."),
                .taken("until", .time, "`pause`: when it ends by itself."),
                .taken("to", .text, "`rollback`: a revision's digest or its beginning, at least 4 digits."),
                .taken("full", .flag, "`promote`: pass every remaining step."),
                .taken("force", .flag, "`promote`: also past a failed gate."),
                .taken("revert", .one(of: RevertMode.self), "`rollback`: puts the manifest back in git, too."),
            ]
        ),
        ObjectSchema(
            "BatchRequest",
            "What an operator asks of many deployments.",
            [
                .always("verb", .one(of: BatchRequest.Verb.self)),
                .always("selection", .reference("DeploymentSelection")),
                .taken("by", .text, "The person behind a `sudo`."),
                .taken("why", .text, "The reason."),
                .taken("until", .time, "`pause`: when it ends by itself."),
            ]
        ),
        ObjectSchema(
            "DeploymentSelection",
            "Those of which all that is said is true; or `all`: true, and nothing else.",
            [
                .taken("names", .texts, "Any of them, as `namespace/name`."),
                .taken("namespace", .text, "Those of this namespace."),
                .taken("labels", .labels, "All of them must be a deployment's."),
                .taken("all", .flag, "Every deployment."),
                .taken("within", .texts, "Not to be sent: the server says in which namespaces the caller may."),
            ],
            rules: ["anyOf": .list(Self.selections(["names", "namespace", "labels"]))]
        ),
        ObjectSchema(
            "ModelRequest",
            "Asks that a manifest name another version of its model.",
            [
                .always(
                    "to",
                    Schema([
                        "type": "string", "pattern": Self.version,
                        "not": ["pattern": "^@([lL][aA][tT][eE][sS][tT]|[vV][0-9]{1,10})$"],
                    ]),
                    "A version of the registry, such as `8`, or an alias, such as `@champion`."
                ),
                .taken("digest", Schema(["type": "string", "pattern": "^sha256:[0-9a-f]{64}$"]), "What is pinned."),
                .taken("mode", .one(of: ModelPromotion.Mode.self), "`branch` unless said."),
                .taken("dryRun", .flag, "Only say what would be done."),
                .taken("by", .text, "The person behind a `sudo`."),
                .taken("why", .text, "The reason."),
            ]
        ),
        ObjectSchema(
            "TokenRequest",
            "Asks for a token.",
            [
                .always(
                    "name",
                    Schema(["type": "string", "pattern": "^[A-Za-z0-9._@-]{1,64}$"]),
                    "Who or what has it."
                ),
                .always(
                    "grants",
                    Schema([
                        "type": "array", "minItems": 1, "maxItems": 100,
                        "items": [
                            "type": "object",
                            "properties": [
                                "role": Schema.one(of: Role.self).orNull.json,
                                "verbs": Schema.list(of: .one(of: AccessVerb.self)).orNull.json,
                                "namespaces": [
                                    "type": ["array", "null"], "items": ["type": "string"], "minItems": 1,
                                    "maxItems": 1000,
                                ],
                            ],
                            "anyOf": [
                                ["required": ["role"], "properties": ["role": ["type": "string"]]],
                                ["required": ["verbs"], "properties": ["verbs": ["type": "array", "minItems": 1]]],
                            ],
                        ],
                    ]),
                    "What it gives."
                ),
                .always(
                    "lifetime",
                    Schema(["type": "integer", "minimum": 60, "maximum": .integer(TokenRequest.longest)]),
                    "Seconds."
                ),
            ]
        ),
        ObjectSchema(
            "FreezeRequest",
            "Asks that nothing new be rolled out for a time.",
            [
                .always("selection", .reference("FreezeSelection")),
                .always("until", .time, "At most a year from now."),
                .always(
                    "why",
                    Schema(["type": "string", "maxLength": .integer(FreezeRequest.reasonLimit), "pattern": #"\S"#]),
                    "The reason."
                ),
                .taken("by", .text, "The person behind a `sudo`."),
            ]
        ),
        ObjectSchema(
            "FreezeSelection",
            "Those of which all that is said is true; or `all`: true, and nothing else.",
            [
                .maybe("names", Schema(["type": "null"]), "Not to be sent: a few deployments are paused by name."),
                .taken("namespace", .text, "Those of this namespace."),
                .taken("labels", .labels, "All of them must be a deployment's."),
                .taken("all", .flag, "Every deployment."),
                .taken("within", .texts, "Not to be sent."),
            ],
            rules: ["anyOf": .list(Self.selections(["namespace", "labels"]))]
        ),
        ObjectSchema(
            "ReceiverTest",
            "That a receiver is to be tried.",
            [.taken("by", .text, "The person behind a `sudo`.")]
        ),
        ObjectSchema(
            "FeedbackLabel",
            "What somebody knows about one answered request.",
            [
                .always(
                    "id",
                    Schema(["type": "string", "maxLength": .integer(FeedbackID.longest), "pattern": Self.feedbackID]),
                    "The answer's `x-feedback-id`."
                ),
                .taken("correct", .flag, "Whether the answer was right."),
                .taken("value", .share, "How good or bad it was."),
            ],
            rules: [
                "additionalProperties": false,
                "anyOf": [
                    ["required": ["correct"], "properties": ["correct": ["type": "boolean"]]],
                    ["required": ["value"], "properties": ["value": ["type": "number"]]],
                ],
            ]
        ),
    ]

    /// Labels as they are sent: a list, or one alone.
    static let feedback = Schema([
        "anyOf": [
            Schema.reference("FeedbackLabel").json,
            [
                "type": "array", "maxItems": .integer(FeedbackBatch.limit),
                "items": Schema.reference("FeedbackLabel").json,
            ],
        ]
    ])

    private static let version: JSONValue = "^([1-9][0-9]{0,9}|@[A-Za-z0-9_-]{1,255})$"
    private static let feedbackID: JSONValue = #"^[0-9a-f]{1,10}\.[0-9a-f]{8}\.[0-9a-f-]+$"#

    /// By names, namespace or labels, but not with `all`; or by `all` and none of them.
    private static func selections(_ names: [String]) -> [JSONValue] {
        let some: [String: JSONValue] = [
            "names": ["type": "array", "minItems": 1], "namespace": ["type": "string"],
            "labels": ["type": "object", "minProperties": 1],
        ]
        let none: [String: JSONValue] = [
            "names": ["anyOf": [["type": "null"], ["type": "array", "maxItems": 0]]], "namespace": ["type": "null"],
            "labels": ["anyOf": [["type": "null"], ["type": "object", "maxProperties": 0]]],
        ]
        let bySome = some.filter { names.contains($0.key) }.sorted { $0.key < $1.key }.map {
            name,
            schema -> JSONValue in
            [
                "required": [.text(name)],
                "properties": .object([name: schema, "all": ["enum": [false, .null]]]),
            ]
        }
        var all = none
        all["all"] = ["const": true]
        return bySome + [["required": ["all"], "properties": .object(all)]]
    }
}

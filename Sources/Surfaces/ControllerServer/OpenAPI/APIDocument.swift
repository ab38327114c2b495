import ControllerAPI

/// The OpenAPI 3.1 document of this API, made of the operations that the router serves.
enum APIDocument {
    static func document(of operations: [APIOperation]) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for operation in operations {
            paths[operation.path, default: [:]][operation.method.rawValue] = Self.json(operation)
        }
        let schemas =
            Self.schemas.map { ($0.name, $0.json) } + [
                ("Feedback", Self.feedback.json), ("StreamEvent", Self.event.json),
            ]
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Model deployment controller",
                "version": "1",
                "description": .text(Self.description),
            ],
            "servers": [["url": "/", "description": "The controller's unix socket"]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "schemas": .object(Dictionary(schemas, uniquingKeysWith: { first, _ in first })),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "Over TLS. On the socket the kernel says who asks.",
                    ]
                ],
            ],
        ]
    }

    private static let description = """
        Reads and commands deployments of models. Fields without a value are left out; unknown fields of requests are \
        ignored, but for those of labels. Every error is application/problem+json of RFC 9457.
        """

    private static func json(_ operation: APIOperation) -> JSONValue {
        var members: [String: JSONValue] = [
            "operationId": .text(operation.name), "summary": .text(operation.summary),
            "responses": .object(Self.responses(of: operation)),
        ]
        if !operation.parameters.isEmpty { members["parameters"] = .list(operation.parameters.map(Self.json)) }
        if let body = operation.body {
            members["requestBody"] = [
                "description": .text(body.description), "required": true,
                "content": ["application/json": ["schema": body.schema.json]],
            ]
        }
        return .object(members)
    }

    private static func json(_ parameter: APIOperation.Parameter) -> JSONValue {
        [
            "name": .text(parameter.name), "in": .text(parameter.place.rawValue),
            "required": .flag(parameter.place == .path), "description": .text(parameter.description),
            "schema": parameter.schema.json,
        ]
    }

    private static func responses(of operation: APIOperation) -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        for answer in operation.answers {
            var response: [String: JSONValue] = ["description": .text(answer.description)]
            if let type = answer.mediaType, let schema = answer.schema {
                response["content"] = .object([type: ["schema": schema.json]])
            }
            if answer.isTagged {
                response["headers"] = [
                    "ETag": [
                        "description": "Send it as If-None-Match to be answered 304 while nothing is new.",
                        "required": true, "schema": ["type": "string", "pattern": #"^W/"[0-9a-z-]+"$"#],
                    ]
                ]
            }
            responses["\(answer.status)"] = .object(response)
        }
        // Of every request: where it comes from, and over the network who sends it.
        let general = operation.path.hasPrefix(APIRoute.root) ? [401, 403, 421, 429] : []
        for status in operation.problems + general {
            responses["\(status)"] = [
                "description": .text(Self.problems[status] ?? "Not done; `detail` says why."),
                "content": .object([Problem.mediaType: ["schema": Schema.reference("Problem").json]]),
            ]
        }
        return responses
    }

    private static let problems = [
        400: "The request does not mean anything; `detail` names what is wrong with it.",
        401: "Over TLS: no valid token was shown.",
        403: "Who asks may not do this.",
        404: "There is no such thing; `detail` says what was probably meant.",
        409: "The first request with this Idempotency-Key has no answer yet; `Retry-After` says when to ask again.",
        413: "The body is too large.",
        421: "On the socket: `Host` is not a name of this machine.",
        422: "This Idempotency-Key was sent with another request.",
        429: "Over TLS: too fast; `Retry-After` says when to ask again.",
        500: "The journal cannot be read.",
        503: "There is no room for it now; `detail` says of what.",
    ]
}

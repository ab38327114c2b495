import ControllerAPI

extension APIDocument {
    static let accessSchemas = [
        ObjectSchema(
            "CallerStatus",
            "Who asks, as the controller sees it.",
            [
                .always("caller", .reference("Caller")), .always("grants", .list(of: .reference("Grant"))),
                .maybe("expires", .time, "When the credential ends."),
            ]
        ),
        ObjectSchema(
            "Caller",
            "Who asks, and by which way.",
            [
                .always("name", .text), .always("way", .one(of: Caller.Way.self)),
                .maybe("credential", .text, "The token's id or the identity provider's issuer."),
                .maybe("address", .text, "The other end of the connection."),
            ]
        ),
        ObjectSchema(
            "Grant",
            "What somebody may do, and where.",
            [
                .maybe("role", .one(of: Role.self)), .always("verbs", .list(of: .one(of: AccessVerb.self))),
                .maybe("namespaces", .texts, "Left out for all, and for what belongs to none."),
            ]
        ),
        ObjectSchema(
            "TokenStatus",
            "A token without its secret.",
            [
                .always("id", .text), .always("name", .text), .always("grants", .list(of: .reference("Grant"))),
                .always("created", .time), .always("createdBy", .text), .always("expires", .time),
                .maybe("lastUsed", .time, "Since the controller started."),
            ]
        ),
        ObjectSchema(
            "TokenAnswer",
            "A new token, which is told this once.",
            [.always("token", .text), .always("status", .reference("TokenStatus"))]
        ),
    ]
}

import ControllerAPI

extension APIDocument {
    static let auditSchemas = [
        ObjectSchema(
            "AuditStatus",
            "An entry of the audit.",
            [
                .always("number", .count, "From 1 on, without gaps."), .always("time", .time),
                .maybe("written", .time, "Where it could not be written at once."),
                .always("stage", .one(of: ["asked", "answered", "noted"])),
                .maybe("request", .text, "The same in all entries of one request."), .always("by", .text),
                .always("way", .text), .maybe("credential", .text), .maybe("address", .text),
                .always("action", .text), .maybe("deployment", .text), .maybe("why", .text),
                .always("parameters", .labels), .maybe("accepted", .flag), .maybe("changed", .flag),
                .maybe("message", .text), .maybe("before", .labels), .maybe("after", .labels),
                .always("previous", .text, "The hash of the entry before."), .always("hash", .text),
            ]
        ),
        ObjectSchema(
            "AuditCheckStatus",
            "How far a check of the chain has come.",
            [
                .always("count", .count), .maybe("oldest", .time), .maybe("newest", .time),
                .always("head", .text, "The last that is whole: `after` of the next part."),
                .maybe("front", .text, "What is not kept any more ends here."), .always("isComplete", .flag),
                .maybe("finding", .reference("AuditFinding")),
            ]
        ),
        ObjectSchema(
            "AuditFinding",
            "The first entry that is broken, and how.",
            [.always("kind", .text), .always("number", .count), .always("message", .text)]
        ),
        ObjectSchema(
            "AuditHeadStatus",
            "The end of the chain.",
            [.always("head", .text), .always("unwritten", .count), .maybe("problem", .text)]
        ),
        ObjectSchema(
            "FreezeStatus",
            "A freeze that stands.",
            [
                .always("id", .count), .maybe("namespace", .text), .maybe("labels", .labels), .always("by", .text),
                .always("why", .text), .always("since", .time), .always("until", .time),
            ]
        ),
        ObjectSchema(
            "FreezeAnswer",
            "What a request about a freeze changed.",
            [
                .always("accepted", .flag), .always("changed", .flag), .always("message", .text),
                .maybe("freeze", .reference("FreezeStatus")),
            ]
        ),
        ObjectSchema(
            "ConfigurationStatus",
            "Which configuration is in effect, and why a newer one is not.",
            [.always("file", .text), .always("since", .time), .always("problems", .texts)]
        ),
    ]
}

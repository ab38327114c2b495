import ControllerAPI
import Deployments

extension APIOperation {
    static let audit = APIOperation(
        "listAudit",
        .get,
        "\(APIRoute.root)/audit",
        "Who did what, oldest first",
        [
            .query("after", .journalNumber, "Only later entries, and the first of them."), .historyLimit,
            .query("deployment", .short, "Only those of this deployment, `namespace/name`."),
            .query("by", .short, "A part of the caller's name."),
            .query("action", .short, "Only this action."),
            .query("since", .time, "Only what happened since then."),
        ],
        answers: [.json(.list(of: .reference("AuditStatus")), "Entries.")],
        problems: [400, 404, 500]
    )

    static let auditCheck = APIOperation(
        "checkAudit",
        .get,
        "\(APIRoute.root)/audit/check",
        "Checks the next part of the audit's chain",
        [
            .query("after", .auditPlace, "The `head` of the part before."),
            .query("expect", .auditPlace, "A place that was noted elsewhere."),
        ],
        answers: [.json(.reference("AuditCheckStatus"), "What was found.")],
        problems: [400, 404, 500]
    )

    static let auditHead = APIOperation(
        "getAuditHead",
        .get,
        APIRoute.auditHead,
        "The end of the audit's chain",
        answers: [.json(.reference("AuditHeadStatus"), "The head.")],
        problems: [404, 500]
    )

    static let freezes = APIOperation(
        "listFreezes",
        .get,
        APIRoute.freezes,
        "The freezes of operators that stand",
        answers: [.json(.list(of: .reference("FreezeStatus")), "Freezes.")]
    )

    static let freeze = APIOperation(
        "freeze",
        .post,
        APIRoute.freezes,
        "Begins a freeze",
        [.idempotencyKey],
        body: Body(schema: .reference("FreezeRequest"), description: "At most 64 KiB."),
        answers: [.json(.reference("FreezeAnswer"), "The freeze, or why there is none.")],
        problems: [400, 409, 413, 422, 503]
    )

    static let unfreeze = APIOperation(
        "unfreeze",
        .delete,
        "\(APIRoute.freezes)/{id}",
        "Ends a freeze before its time",
        [
            Parameter(
                name: "id",
                place: .path,
                schema: Schema(["type": "integer", "format": "int64", "minimum": 1]),
                description: "As the list of freezes has it."
            ),
            .query("why", .short, "The reason."), .query("by", .short, "The person behind a `sudo`."),
        ],
        answers: [.json(.reference("FreezeAnswer"), "What changed.")],
        problems: [400, 503]
    )
}

extension Schema {
    fileprivate static let short = Schema(["type": "string", "maxLength": 1024])
    fileprivate static let auditPlace = Schema(["type": "string", "pattern": "^[0-9]{1,18}:[0-9a-f]{64}$"])
}

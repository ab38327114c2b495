import ControllerAPI

extension APIDocument {
    static let deploymentSchemas = [
        ObjectSchema(
            "DeploymentStatus",
            "One deployment: all that `controller get`, `status` and `explain` print.",
            [
                .always("namespace", .text), .always("name", .text),
                .always("phase", .one(of: DeploymentStatus.phases)),
                .always("health", .one(of: DeploymentStatus.Health.self)),
                .always("message", .text, "What is going on and what it waits for."),
                .always("holds", .list(of: .reference("HoldStatus")), "What stops progress."),
                .maybe("stable", .reference("RevisionStatus")), .maybe("canary", .reference("RevisionStatus")),
                .maybe("previous", .reference("RevisionStatus"), "While it is kept warm."),
                .maybe("autoscaling", .reference("AutoscalingStatus")),
                .always("steps", .list(of: .reference("StepStatus"))),
                .always("gates", .list(of: .reference("GateStatus"))),
                .maybe("signOffs", .list(of: .reference("SignOffStatus")), "Those that were asked for."),
                .always("waitingFor", .texts),
                .always("quarantined", .list(of: .reference("QuarantineStatus"))),
                .maybe("desired", .reference("CommitStatus"), "Whose manifest is wanted now."),
                .always("diagnostics", .texts, "Problems of the newest manifest; the last good one stands."),
                .always("events", .list(of: .reference("EventStatus")), "The newest, oldest first."),
                .always("since", .time, "When the phase began."), .maybe("bakeEnds", .time),
                .always("next", .list(of: .reference("NextStatus")), "What happens by itself."),
                .always("rollsBackIf", .texts, "What would take the traffic back by itself."),
                .maybe("pin", .reference("PinStatus")), .maybe("desiredRevision", .text),
                .always("sources", .texts, "The state of what is read."),
                .maybe("modelUpdate", .reference("ModelUpdateStatus")),
            ]
        ),
        ObjectSchema(
            "SignOffStatus",
            "Who must say yes at one place of a rollout, besides its steps, and who has.",
            [
                .always("place", .one(of: SignOffStatus.places)), .always("since", .time, "When it was asked for."),
                .always("model", .text, "What waits for it."), .always("needsApproval", .flag),
                .maybe("approvedBy", .text, "Who said `promote`."),
                .always("gates", .list(of: .reference("GateStatus"))),
            ]
        ),
        ObjectSchema(
            "PlanStatus",
            "What the controller wants of a deployment now, what there is of it, and what it does next.",
            [
                .always("deployment", .text, "namespace/name"), .always("time", .time), .always("phase", .text),
                .always("revisions", .list(of: .reference("PlannedRevision"))),
                .always("effects", .list(of: .reference("PlannedEffect")), "In this order."),
                .always("waitingFor", .texts, "Why there is no more to do yet."),
            ]
        ),
        ObjectSchema(
            "PlannedRevision",
            "A revision as it is wanted and as it is.",
            [
                .always("revision", .text, "Its whole digest."), .always("model", .text),
                .always("wantedReplicas", .count), .always("readyReplicas", .count), .always("replicas", .count),
                .always("wantedWeight", .percent), .maybe("weight", .percent, "As the router serves it."),
            ]
        ),
        ObjectSchema(
            "PlannedEffect",
            "One thing that is safe to do now.",
            [
                .always("kind", .one(of: PlannedEffect.Kind.self)),
                .maybe("subject", .text, "A revision's digest, or a replica's name."), .always("what", .text),
            ]
        ),
        ObjectSchema(
            "ModelUpdateStatus",
            "What is proposed to git for it, or why nothing is.",
            [.always("message", .text), .always("since", .time), .always("isProblem", .flag)]
        ),
        ObjectSchema(
            "RevisionStatus",
            "One revision of a deployment.",
            [
                .always("revision", .text, "Its whole digest."), .always("modelName", .text),
                .always("modelVersion", .text), .always("commit", .reference("CommitStatus")),
                .maybe("weight", .percent, "Percent of the traffic that the router serves it."),
                .always("replicas", .list(of: .reference("ReplicaStatus"))), .always("wantedReplicas", .count),
                .always("artifact", .text, "The state of the model's files."),
                .maybe("resolved", .text, "What an alias in its manifest was resolved to."),
            ]
        ),
        ObjectSchema(
            "ReplicaStatus",
            "One replica of a revision.",
            [
                .always("name", .text),
                .always("state", .one(of: ["starting", "ready", "draining", "stopping", "backing-off", "failed"])),
                .maybe("endpoint", .text), .always("restarts", .count), .maybe("lastFailure", .text),
            ]
        ),
        ObjectSchema(
            "CommitStatus",
            "The commit that brought something.",
            [
                .always("repository", .text), .always("branch", .text), .always("commit", .text),
                .always("subject", .text), .always("author", .text),
            ]
        ),
        ObjectSchema(
            "StepStatus",
            "One step of a rollout.",
            [
                .always("title", .text), .always("state", .one(of: ["done", "current", "pending"])),
                .maybe("since", .time, "When the router began to serve its weight."), .maybe("atLeastEnds", .time),
                .maybe("atMostEnds", .time),
            ]
        ),
        ObjectSchema(
            "GateStatus",
            "What is known of one gate.",
            [
                .always("name", .text),
                .always("outcome", .one(of: ["passed", "failed", "inconclusive", "no-data", "provider-down"])),
                .always("value", .text), .always("limit", .text),
                .maybe("breachEvidence", .share, "From 0, none, to 1, decided."), .maybe("safeEvidence", .share),
                .maybe("prediction", .text), .maybe("detail", .text),
            ]
        ),
        ObjectSchema(
            "NextStatus",
            "Something that happens by itself.",
            [.always("what", .text), .maybe("at", .time), .always("isEstimate", .flag)]
        ),
        ObjectSchema(
            "PinStatus",
            "An operator's `rollback --to` while it overrules git.",
            [.always("revision", .text), .always("by", .text)]
        ),
        ObjectSchema(
            "HoldStatus",
            "What stops progress.",
            [
                .always("kind", .text), .maybe("by", .text), .always("why", .text), .maybe("since", .time),
                .maybe("until", .time), .maybe("remedy", .text, "The command that ends it."),
            ]
        ),
        ObjectSchema(
            "QuarantineStatus",
            "A revision that gets no traffic.",
            [
                .always("revision", .text), .always("modelVersion", .text),
                .always("commit", .reference("CommitStatus")), .always("reason", .text), .always("since", .time),
            ]
        ),
        ObjectSchema(
            "EventStatus",
            "What happened to a deployment.",
            [
                .always("time", .time), .always("deployment", .text), .always("kind", .text), .always("message", .text),
                .maybe("by", .text, "Left out when the controller acted by itself."),
                .maybe("commit", .reference("CommitStatus")),
                .maybe("id", .count, "Its place among the events of all deployments."),
            ]
        ),
        ObjectSchema(
            "AutoscalingStatus",
            "How many replicas an autoscaled deployment has, and why.",
            [
                .always("minReplicas", .count), .always("maxReplicas", .count), .always("targetConcurrency", .number),
                .always("replicas", .count), .maybe("requestsInFlight", .number), .maybe("neededReplicas", .count),
                .always("isHeldStill", .flag), .maybe("fewerAt", .time), .maybe("fewerReplicas", .count),
            ]
        ),
    ]
}

package import ControllerAPI

/// The commands that would act on a deployment as it is now, with what each would do.
package enum AvailableCommands {
    package struct Choice: Codable, Hashable, Sendable {
        package var command: String
        package var effect: String
    }

    package static func list(_ status: DeploymentStatus) -> [Choice] {
        let name = status.argument
        let isPaused = status.holds.contains { $0.kind == "paused" }
        var choices: [Choice] = []
        if isPaused { choices.append(Choice(command: "controller resume \(name)", effect: "ends the pause")) }
        choices += (Self.signOff(status, name) + Self.ofPhase(status, name)).filter {
            // A pause refuses it, and so does a look that is too old.
            !(isPaused || status.holds.contains { $0.kind == "stale" }) || !$0.command.hasPrefix("controller promote")
        }
        // While the traffic is still being taken back, it is refused.
        let record = status.quarantined.first { $0.revision == status.desiredRevision }
        if let record, status.phase != "rolling-back" {
            let effect = "lifts the quarantine of model \(record.modelVersion) and starts its rollout over"
            choices.append(Choice(command: "controller retry \(name)", effect: effect))
        }
        if !isPaused, status.phase != "removing" {
            choices.append(
                Choice(command: "controller pause \(name) --for 30m", effect: "stops progress, never safety")
            )
        }
        choices.append(Choice(command: "controller history \(name)", effect: "shows what happened"))
        return choices
    }

    private static func ofPhase(_ status: DeploymentStatus, _ name: String) -> [Choice] {
        switch status.phase {
        case "preparing", "replacing", "promoting":
            [Choice(command: "controller abort \(name)", effect: Self.wayBack(status))]
        case "stepping":
            [
                Choice(command: "controller promote \(name)", effect: Self.promotion(status)),
                Choice(
                    command: "controller promote \(name) --full",
                    effect: "gives it all traffic on your word"
                ),
                Choice(command: "controller abort \(name)", effect: Self.wayBack(status)),
            ]
        case "baking":
            [
                Choice(
                    command: "controller rollback \(name)",
                    effect: "all traffic back to \(status.previous?.model ?? "the previous revision") at once; "
                        + "quarantines \(status.stable?.model ?? "this one")"
                )
            ]
        case "settled" where Self.wasTakenBack(status):
            [
                Choice(
                    command: "controller rollback \(name) --to REV",
                    effect: "starts an earlier revision, then gives it all traffic; quarantines this one"
                )
            ]
        case "settled":
            [
                Choice(
                    command: "controller rollback \(name)",
                    effect: "starts the revision before, then gives it all traffic; quarantines this one"
                ),
                Choice(command: "controller rollback \(name) --to REV", effect: "the same, to any of the history"),
            ]
        case "rolling-back":
            [Choice(command: "controller status \(name) --watch", effect: "shows the traffic go back")]
        default: []
        }
    }

    /// Where no step is to be passed.
    private static func signOff(_ status: DeploymentStatus, _ name: String) -> [Choice] {
        guard status.phase != "stepping",
            let open = status.signOffs?.first(where: { $0.needsApproval && $0.approvedBy == nil })
        else { return [] }
        return [Choice(command: "controller promote \(name)", effect: "signs \(open.model) off \(open.placeWords)")]
    }

    /// Whether a rollback went before, by which one without a goal changes nothing.
    private static func wasTakenBack(_ status: DeploymentStatus) -> Bool {
        if let pin = status.pin, pin.revision == status.stable?.revision { return true }
        return status.desiredRevision != status.stable?.revision
            && status.quarantined.contains { $0.revision == status.desiredRevision }
    }

    /// What `abort` and `rollback` do to a rollout in flight: the same.
    private static func wayBack(_ status: DeploymentStatus) -> String {
        let traffic = status.stable.map { "all traffic to \($0.model) at once" } ?? "nothing serves then"
        return "\(traffic); quarantines \(status.canary?.model ?? "the revision")"
    }

    private static func promotion(_ status: DeploymentStatus) -> String {
        if status.holds.contains(where: { $0.kind == "approval" }) { return "approves: the next step follows" }
        if let signOff = status.signOffs?.first(where: { $0.place == "beforePromotion" }) {
            let isOpen = signOff.needsApproval && signOff.approvedBy == nil
            return isOpen ? "signs it off before the promotion" : "refused while a gate of its sign-off has not passed"
        }
        if let failed = status.gates.first(where: { $0.outcome == "failed" }) {
            return "passes the step on your word; refused now, as \(failed.name) has failed"
        }
        return "passes the step on your word; refused while a gate has failed"
    }
}

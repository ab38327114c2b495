package import ControllerAPI

/// The commands that would act on a deployment as it is now.
package enum AvailableCommands {
    package static func list(_ status: DeploymentStatus) -> [(command: String, effect: String)] {
        let name = status.argument
        let paused = status.holds.contains { $0.kind == "paused" }
        var commands: [(command: String, effect: String)] = []
        if paused {
            commands.append(("controller resume \(name)", "ends the pause"))
        }
        switch status.phase {
        case "preparing", "stepping":
            if status.phase == "stepping" {
                commands.append(("controller promote \(name)", Self.promotion(status)))
                commands.append(("controller promote \(name) --full", "passes every remaining step"))
            }
            commands.append(("controller abort \(name)", "ends the rollout; stable keeps all traffic"))
            commands.append(("controller rollback \(name)", "the same at once, and quarantines the revision"))
        case "promoting", "baking":
            commands.append(("controller rollback \(name)", "gives the traffic back to the previous revision"))
        case "settled":
            commands.append(("controller rollback \(name) --to REV", "goes to a revision of the history"))
        default: break
        }
        if !status.quarantined.isEmpty {
            commands.append(("controller retry \(name)", "lifts the quarantine and starts over"))
        }
        if !paused {
            commands.append(("controller pause \(name) --for 30m", "stops progress, never safety"))
        }
        commands.append(("controller history \(name)", "shows what happened"))
        return commands
    }

    private static func promotion(_ status: DeploymentStatus) -> String {
        status.holds.contains { $0.kind == "approval" } ? "approves" : "passes the current step"
    }
}

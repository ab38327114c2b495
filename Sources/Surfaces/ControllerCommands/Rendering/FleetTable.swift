package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller get`: one row for each deployment.
package enum FleetTable {
    /// The width is the terminal's; without one, as in a pipe, lines stay whole.
    package static func lines(_ deployments: [DeploymentStatus], now: Date, width: Int?) -> [StyledText] {
        var table = TextTable(
            "NAME",
            "MODEL",
            "PHASE",
            "WEIGHT",
            "HEALTH",
            "REPLICAS",
            "COMMIT",
            "AGE",
            "MESSAGE"
        )
        for deployment in deployments.sorted(by: { $0.id < $1.id }) {
            table.add(
                StyledText(deployment.id, .bold),
                StyledText(deployment.modelChange),
                StyledText(deployment.phase),
                StyledText(deployment.newest.map { $0.weight.map { "\($0)%" } ?? "?" } ?? "-"),
                deployment.styledHealth,
                StyledText(Self.replicas(deployment)),
                StyledText((deployment.newest?.commit ?? deployment.desired)?.short ?? "-"),
                StyledText(TimeText.age(of: deployment.since, now: now)),
                StyledText(deployment.message)
            )
        }
        return table.lines(width: width)
    }

    /// What is served and unknown, and what is wrong with the repositories, for stderr.
    package static func warnings(_ fleet: FleetStatus, now: Date) -> [StyledText] {
        let unknown = (fleet.unknown ?? []).map { name in
            StyledText("warning: ", .yellow)
                + StyledText("\(name) is served and unknown: the journal was lost, and git has not said yet what it is")
        }
        let updates = fleet.deployments.compactMap { deployment -> StyledText? in
            guard let update = deployment.modelUpdate else { return nil }
            let words = "\(deployment.id): \(update.message), since \(TimeText.age(of: update.since, now: now))"
            let head = update.isProblem ? StyledText("warning: ", .yellow) : ""
            return head + StyledText("model update: \(words)")
        }
        let receivers = (fleet.receivers ?? []).compactMap { receiver in
            receiver.trouble.map { StyledText("warning: receiver \(receiver.name) is not told: \($0)", .yellow) }
        }
        let configuration = (fleet.configuration?.problems ?? []).map { problem in
            StyledText("warning: ", .yellow) + StyledText("a newer configuration is refused: \(problem)")
        }
        let freezes = FreezeTable.remarks(fleet.freezes ?? [], now: now)
        return configuration + unknown + freezes + Self.warnings(fleet.sources, now: now) + updates + receivers
    }

    private static func warnings(_ sources: [SourceStatus], now: Date) -> [StyledText] {
        sources.flatMap { source in
            let name = "\(source.repository) (\(source.branch))"
            var lines: [StyledText] = []
            if let problem = source.problem {
                let standing = source.commit.map { "; commit \($0.prefix(8)) stands" } ?? ""
                let polled = source.lastPolled.map { ", last polled \(TimeText.age(of: $0, now: now)) ago" } ?? ""
                lines.append(StyledText("warning: ", .yellow) + StyledText("\(name): \(problem)\(standing)\(polled)"))
            }
            let warnings = source.diagnostics + (source.undelivered ?? []).map { "git is not told yet: \($0)" }
            lines += warnings.map { StyledText("warning: ", .yellow) + StyledText("\(name): \($0)") }
            if let revert = source.lastRevert { lines.append(StyledText("revert: \(name): \(revert)")) }
            return lines
        }
    }

    /// Ready of wanted, canary and stable together.
    private static func replicas(_ deployment: DeploymentStatus) -> String {
        let revisions = [deployment.canary, deployment.stable].compactMap { $0 }
        guard !revisions.isEmpty else { return "-" }
        return "\(revisions.reduce(0) { $0 + $1.ready })/\(revisions.reduce(0) { $0 + $1.wantedReplicas })"
    }
}

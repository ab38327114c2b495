package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller top`: what moves first, with how near each is to a decision.
package enum TopTable {
    package static func lines(_ fleet: FleetStatus, now: Date, width: Int?) -> [StyledText] {
        var table = TextTable("NAME", "PHASE", "FOR", "WEIGHT", "BREACH", "SAFE", "READY", "NEXT", "MESSAGE")
        for deployment in Self.sorted(fleet.deployments) {
            table.add(
                StyledText(deployment.id, .bold),
                deployment.phaseAndHealth,
                StyledText(TimeText.age(of: deployment.since, now: now)),
                StyledText(deployment.newest.map { $0.weight.map { "\($0)%" } ?? "?" } ?? "-"),
                Self.evidence(deployment.gates.compactMap(\.breachEvidence).max(), .red),
                Self.evidence(deployment.gates.compactMap(\.safeEvidence).min(), .green),
                StyledText(Self.ready(deployment)),
                StyledText(Self.next(deployment, now: now)),
                StyledText(deployment.message)
            )
        }
        let moving = fleet.deployments.count { $0.phase != "settled" }
        let held = fleet.deployments.count { !$0.holds.isEmpty }
        let unwell = fleet.deployments.count { [.degraded, .unknown].contains($0.health) }
        let words = "\(fleet.deployments.count) deployments, \(moving) moving, \(held) held, \(unwell) unwell"
        let head = StyledText("\(words)  \(now.formatted(.iso8601))", .dim)
        return [width.map { head.truncated(to: $0) } ?? head] + table.lines(width: width)
            + FleetTable.warnings(fleet, now: now).map { line in width.map { line.truncated(to: $0) } ?? line }
    }

    /// Rollbacks and what is unwell first, then rollouts, the nearest to a decision first, then the rest by name.
    static func sorted(_ deployments: [DeploymentStatus]) -> [DeploymentStatus] {
        var ranked: [(urgency: Double, deployment: DeploymentStatus)] = []
        for deployment in deployments { ranked.append((Self.urgency(deployment), deployment)) }
        ranked.sort { one, other in
            if one.urgency != other.urgency { return one.urgency > other.urgency }
            return one.deployment.id < other.deployment.id
        }
        return ranked.map(\.deployment)
    }

    private static func urgency(_ deployment: DeploymentStatus) -> Double {
        let evidence = deployment.gates.compactMap(\.breachEvidence).filter(\.isFinite).max() ?? 0
        if deployment.phase == "rolling-back" { return 5 }
        if deployment.health == .degraded || deployment.health == .unknown { return 4 }
        if deployment.phase != "settled" { return 2 + min(1, max(0, evidence)) }
        return deployment.holds.isEmpty ? 0 : 1
    }

    private static func evidence(_ share: Double?, _ style: StyledText.Style) -> StyledText {
        guard let share, share.isFinite else { return StyledText("-", .dim) }
        // 99.9 percent of the evidence decides nothing.
        return share >= 1 ? StyledText("decided", style) : StyledText("\(min(99, Int(max(0, share) * 100)))%")
    }

    private static func ready(_ deployment: DeploymentStatus) -> String {
        let revisions = [deployment.canary, deployment.stable].compactMap(\.self)
        guard !revisions.isEmpty else { return "-" }
        return "\(revisions.reduce(0) { $0 + $1.ready })/\(revisions.reduce(0) { $0 + $1.wantedReplicas })"
    }

    private static func next(_ deployment: DeploymentStatus, now: Date) -> String {
        guard let next = deployment.next.filter({ $0.at != nil }).min(by: { ($0.at ?? now) < ($1.at ?? now) }),
            let time = next.at
        else { return "-" }
        return (next.isEstimate ? "about " : "") + TimeText.age(of: now, now: max(now, time))
    }
}

extension DeploymentStatus {
    fileprivate var phaseAndHealth: StyledText {
        self.health == .healthy || self.health == .progressing
            ? StyledText(self.phase) : StyledText("\(self.phase), ") + self.styledHealth
    }
}

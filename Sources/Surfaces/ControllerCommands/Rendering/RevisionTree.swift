package import ControllerAPI
import ControllerWords

/// The revisions of a deployment, and under each its replicas.
package enum RevisionTree {
    /// `brief` shows only the replicas that are not ready.
    package static func lines(_ status: DeploymentStatus, brief: Bool = false) -> [StyledText] {
        let tracks: [(name: String, style: StyledText.Style, revision: RevisionStatus?)] = [
            ("canary", .cyan, status.canary), ("stable", .green, status.stable), ("previous", .dim, status.previous),
        ]
        return tracks.flatMap { track -> [StyledText] in
            guard let revision = track.revision else { return [] }
            let title = Self.title(track.name, track.style, revision)
            guard brief else { return [title] + Self.details(revision) + Self.replicas(revision.replicas) }
            return [title] + Self.replicas(revision.replicas.filter { $0.state != "ready" })
        }
    }

    private static func title(_ track: String, _ style: StyledText.Style, _ revision: RevisionStatus) -> StyledText {
        StyledText(track, style).padded(to: 10)
            + StyledText(revision.weightText, .bold).padded(to: 7)
            + StyledText(revision.model) + "  "
            + StyledText(revision.commit.short) + "  "
            + StyledText(
                "\(revision.ready)/\(revision.wantedReplicas) ready",
                revision.ready >= revision.wantedReplicas ? .green : .yellow
            )
    }

    private static func details(_ revision: RevisionStatus) -> [StyledText] {
        var lines: [StyledText] = []
        if !revision.commit.story.isEmpty { lines.append(StyledText("│ \(revision.commit.story)", .dim)) }
        let artifact = revision.artifact.isEmpty ? "" : ", artifact \(revision.artifact)"
        lines.append(StyledText("│ revision \(revision.short)\(artifact)", .dim))
        if let resolved = revision.resolved { lines.append(StyledText("│ \(resolved)", .dim)) }
        return lines
    }

    private static func replicas(_ replicas: [ReplicaStatus]) -> [StyledText] {
        let rows = replicas.enumerated().map { index, replica -> [StyledText] in
            let branch = index + 1 < replicas.count ? "├─ " : "└─ "
            let (mark, style) = Self.mark(replica.state)
            var row = [
                StyledText(branch, .dim) + StyledText(mark, style) + StyledText(" \(replica.name)"),
                StyledText(replica.state, style),
                StyledText(replica.endpoint ?? "-"),
                StyledText(replica.restarts == 1 ? "1 restart" : "\(replica.restarts) restarts"),
            ]
            if let failure = replica.lastFailure { row.append(StyledText("last: \(failure)", .red)) }
            return row
        }
        return TextTable.aligned(rows)
    }

    private static func mark(_ state: String) -> (String, StyledText.Style) {
        switch state {
        case "ready": ("✔", .green)
        case "starting": ("◌", .cyan)
        case "draining", "stopping": ("◌", .dim)
        case "backing-off": ("↻", .yellow)
        case "failed": ("✖", .red)
        default: ("?", .dim)
        }
    }
}

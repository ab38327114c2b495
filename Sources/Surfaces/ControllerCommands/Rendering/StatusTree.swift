package import ControllerAPI
import ControllerWords
package import Foundation

/// `controller status`: everything about one deployment on one screen.
package enum StatusTree {
    /// The width is the terminal's; without one, as in a pipe, lines stay whole. `brief` leaves out what is as it
    /// should be, for small terminals.
    package static func lines(
        _ status: DeploymentStatus,
        now: Date,
        width: Int?,
        brief: Bool = false
    ) -> [StyledText] {
        var lines = Self.header(status, now: now)
        lines += Self.section("Holds", Self.holds(status, now: now))
        lines += Self.section("Steps", Self.steps(status, now: now))
        lines += Self.section("Revisions", RevisionTree.lines(status, brief: brief))
        lines += Self.section("Gates", GateLines.lines(status.gates))
        for signOff in status.signOffs ?? [] {
            lines += Self.section("Sign-off \(signOff.placeWords)", Self.lines(of: signOff))
        }
        lines += Self.section("Waiting for", status.waitingFor.map { StyledText("• \($0)") })
        lines += Self.section("Next", status.next.map { StyledText("• \($0.sentence(now: now))") })
        lines += Self.section("Quarantined", Self.quarantined(status, now: now))
        lines += Self.section("Problems in the newest manifest (the last good one stands)", Self.problems(status))
        if !brief { lines += Self.section("Sources", status.sources.map { StyledText("• \($0)") }) }
        lines += Self.section("Events", Self.events(status, now: now))
        if brief { lines.removeAll(where: \.isEmpty) }
        return lines.map { line in width.map { line.truncated(to: $0) } ?? line }
    }

    private static func lines(of signOff: SignOffStatus) -> [StyledText] {
        let approval = signOff.approvedBy.map { StyledText("✔ approved by \($0)") } ?? StyledText("‖ no approval yet")
        return (signOff.needsApproval ? [approval] : []) + GateLines.lines(signOff.gates)
    }

    private static func section(_ title: String, _ content: [StyledText]) -> [StyledText] {
        content.isEmpty ? [] : ["", StyledText(title, .bold)] + content.map { "  " + $0 }
    }

    private static func header(_ status: DeploymentStatus, now: Date) -> [StyledText] {
        var title = StyledText(status.id, .bold) + StyledText("  \(status.phase)  ") + status.styledHealth
        title += StyledText(
            "  since \(TimeText.age(of: status.since, now: now)) (\(TimeText.clock(status.since, now: now)))",
            .dim
        )
        var lines = [title]
        if !status.message.isEmpty { lines.append("  " + StyledText(status.message)) }
        if let end = status.bakeEnds {
            lines.append(StyledText("  the bake ends \(TimeText.until(end, now: now))"))
        }
        if let autoscaling = status.autoscaling { lines.append(StyledText("  autoscaled: \(autoscaling.words)")) }
        if let update = status.modelUpdate {
            let since = StyledText("  since \(TimeText.age(of: update.since, now: now))", .dim)
            let mark = update.isProblem ? StyledText("✖ ", .red) : ""
            lines.append("  " + mark + StyledText("model update: \(update.message)") + since)
        }
        if let desired = status.desired, desired.commit != status.newest?.commit.commit {
            let story = desired.story.isEmpty ? "" : "  \(desired.story)"
            lines.append(StyledText("  wanted by git: \(desired.short)\(story)"))
        }
        return lines
    }

    private static func holds(_ status: DeploymentStatus, now: Date) -> [StyledText] {
        status.holds.flatMap { hold in
            var line = StyledText("‖ ", .yellow) + StyledText(hold.kind, .yellow)
            if let by = hold.by { line += StyledText(" by \(by)") }
            if !hold.why.isEmpty { line += StyledText(": \(hold.why)") }
            if let until = hold.until {
                let left = until.timeIntervalSince(now)
                line += StyledText(
                    left > 0
                        ? ", until \(TimeText.clock(until, now: now)) (\(TimeText.span(left)) left)"
                        : ", until \(TimeText.clock(until, now: now)) (over)"
                )
            }
            return [line] + (hold.remedy.map { ["    end it: " + StyledText($0, .cyan)] } ?? [])
        }
    }

    private static func steps(_ status: DeploymentStatus, now: Date) -> [StyledText] {
        let rows = status.steps.map { step -> [StyledText] in
            switch step.state {
            case .done: [StyledText("✔ ", .green) + StyledText(step.title)]
            case .pending: [StyledText("○ ", .dim) + StyledText(step.title, .dim)]
            case .current:
                [
                    StyledText("▶ ", .cyan) + StyledText(step.title, .bold),
                    StyledText(StepClock.text(step, now: now)),
                ]
            }
        }
        return TextTable.aligned(rows)
    }

    private static func quarantined(_ status: DeploymentStatus, now: Date) -> [StyledText] {
        let lines = status.quarantined.flatMap { entry -> [StyledText] in
            let story = entry.commit.story.isEmpty ? "" : "  \(entry.commit.story)"
            return [
                StyledText("✖ ", .red)
                    + StyledText(
                        "model \(entry.modelVersion)  \(entry.revision.prefix(10))  \(entry.commit.short)\(story)"
                    ),
                StyledText("    \(entry.reason), \(TimeText.age(of: entry.since, now: now)) ago"),
            ]
        }
        return lines.isEmpty
            ? [] : lines + ["  try again: " + StyledText("controller retry \(status.argument)", .cyan)]
    }

    private static func problems(_ status: DeploymentStatus) -> [StyledText] {
        status.diagnostics.map { StyledText("✖ ", .red) + StyledText($0) }
    }

    /// As many events as are news; `controller history` has them all.
    private static let recentEvents = 8

    private static func events(_ status: DeploymentStatus, now: Date) -> [StyledText] {
        TextTable.aligned(
            status.events.suffix(Self.recentEvents).map { event in
                [
                    StyledText(TimeText.clock(event.time, now: now), .dim),
                    StyledText(event.kind, HistoryTable.style(of: event.kind)),
                    StyledText(event.by ?? "controller", .dim),
                    StyledText(event.commit?.short ?? "-", .dim),
                    StyledText(event.message),
                ]
            }
        )
    }
}

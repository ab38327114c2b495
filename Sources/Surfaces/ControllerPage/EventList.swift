import ControllerAPI
import ControllerWords
import Foundation

/// What happened, newest first.
enum EventList {
    static func render(_ events: [EventStatus], now: Date, withDeployment: Bool) -> HTML {
        let items = events.map { event -> HTML in
            let commit = event.commit.map { ", \($0.short)" } ?? ""
            return """
                <li class="event \(Self.kind(event.kind))"><span class="event-time">\
                \(PageShell.clock(event.time, now: now))</span> <span class="event-kind">\(event.kind)</span> \
                \(withDeployment ? Self.link(event.deployment) : .none)\
                <span class="event-words">\(event.message)</span> \
                <span class="quiet-label">by \(event.by ?? "controller")\(commit)</span></li>

                """
        }
        return "<ol class=\"events\">\(items)</ol>"
    }

    private static func link(_ deployment: String) -> HTML {
        let parts = deployment.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return "<b>\(deployment)</b> " }
        return "<a href=\"\(URLText.page(parts[0], parts[1]))\">\(deployment)</a> "
    }

    /// The class that colours it: never what the event itself says.
    private static func kind(_ kind: String) -> HTML {
        switch kind {
        case "promoted", "settled": "good"
        case "rolled-back", "rolling-back": "bad"
        case "paused", "inconclusive", "superseded", "removing": "warned"
        default: "plain"
        }
    }
}

package import ControllerAPI
package import Foundation

/// What happened to all deployments, or to those of a namespace.
package enum EventsPage {
    /// The most that are shown.
    package static let limit = 200

    /// - Parameters:
    ///   - events: Oldest first.
    ///   - namespace: The one that is shown; nothing for all.
    ///   - namespaces: To choose from.
    ///   - now: What days are told from.
    ///   - shell: What stands around it.
    /// - Returns: The document.
    package static func render(
        _ events: [EventStatus],
        namespace: String?,
        namespaces: [String],
        now: Date,
        _ shell: PageShell
    ) -> String {
        let options = namespaces.map { name -> HTML in
            "<option value=\"\(name)\"\(name == namespace ? " selected" as HTML : .none)>\(name)</option>"
        }
        let list: HTML =
            events.isEmpty
            ? "<p>Nothing has happened yet.</p>"
            : EventList.render(events.reversed(), now: now, withDeployment: true)
        return shell.page(
            title: "Events",
            current: .events,
            """
            <h1>Events</h1>
            <form class="search" method="get" action="/events">
            <label for="namespace">Namespace</label>
            <select id="namespace" name="namespace"><option value="">all</option>\(options)</select>
            <button type="submit">Show</button>
            </form>
            <p class="hint">The newest \(Self.limit); <code>controller events</code> has more. Times are UTC.</p>
            \(list)
            """
        )
    }
}

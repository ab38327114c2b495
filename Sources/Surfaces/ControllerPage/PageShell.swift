import ControllerAPI
import ControllerWords
package import Foundation

/// What stands around each page: navigation, who looks, and when what is shown was true.
package struct PageShell: Sendable {
    /// Who looks; nothing on a page that nobody has to be known for.
    package var viewer: String?
    /// When what is shown was true.
    package var time: Date
    /// Nothing where nobody has to log out.
    package var logout: Logout?

    package struct Logout: Hashable, Sendable {
        package var path: String
        package var token: String

        package init(path: String, token: String) {
            self.path = path
            self.token = token
        }
    }

    package init(viewer: String?, time: Date, logout: Logout? = nil) {
        self.viewer = viewer
        self.time = time
        self.logout = logout
    }

    /// A whole document. `isLive` pages are asked for again by the script, which replaces what changed.
    package func page(title: String, current: Place? = nil, isLive: Bool = true, _ content: HTML) -> String {
        let live: HTML = isLive ? " data-live=\"\(PageAssets.version)\"" : ""
        // A referrer for us alone: with none at all, a browser says of our own forms that they come from nowhere.
        let document: HTML = """
            <!doctype html>
            <html lang="en"\(live)>
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="same-origin">
            <title>\(title)</title>
            <link rel="icon" href="\(PageAssets.icon.path)" type="image/svg+xml">
            <link rel="stylesheet" href="\(PageAssets.style.path)">
            <script src="\(PageAssets.script.path)" defer></script>
            </head>
            <body>
            <a class="skip" href="#content">Skip to the content</a>
            <header class="top">
            \(self.navigation(current))
            \(self.who)
            </header>
            <main id="content" tabindex="-1">
            \(content)
            </main>
            <footer class="bottom">
            <p id="as-of">As of \(Self.time(self.time)).
            <noscript>Without JavaScript it does not change by itself: reload the page to see what is new.</noscript>
            </p>
            <p id="live" role="status" aria-live="polite"></p>
            </footer>
            </body>
            </html>

            """
        return document.source
    }

    package enum Place: Sendable { case fleet, events }

    private func navigation(_ current: Place?) -> HTML {
        func link(_ place: Place, _ path: HTML, _ name: HTML) -> HTML {
            let mark: HTML = place == current ? " aria-current=\"page\"" : ""
            return "<li><a href=\"\(path)\"\(mark)>\(name)</a></li>"
        }
        return """
            <nav aria-label="Pages"><ul>
            \(link(.fleet, "/", "Fleet"))
            \(link(.events, "/events", "Events"))
            </ul></nav>
            """
    }

    private var who: HTML {
        guard let viewer = self.viewer else { return .none }
        guard let logout = self.logout else { return "<p class=\"who\">You are <b>\(viewer)</b></p>" }
        return """
            <form class="who" method="post" action="\(logout.path)">You are <b>\(viewer)</b>
            <input type="hidden" name="csrf" value="\(logout.token)">
            <button type="submit">Log out</button></form>
            """
    }

    /// The moment, in UTC, for people and programs.
    static func time(_ date: Date) -> HTML {
        let text = date.formatted(.iso8601)
        return "<time datetime=\"\(text)\">\(text.replacing("T", with: " ").replacing("Z", with: " UTC"))</time>"
    }

    /// How long ago, with the moment for whoever points at it.
    static func age(_ date: Date, now: Date) -> HTML {
        let exact = date.formatted(.iso8601)
        return "<time datetime=\"\(exact)\" title=\"\(exact)\">\(TimeText.age(of: date, now: now))</time>"
    }

    /// The clock's time, on another day with the date.
    static func clock(_ date: Date, now: Date) -> HTML {
        "<time datetime=\"\(date.formatted(.iso8601))\">\(TimeText.clock(date, now: now))</time>"
    }
}

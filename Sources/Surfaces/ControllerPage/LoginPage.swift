package import Foundation

/// Where somebody says who they are, on an address where nothing else does.
package enum LoginPage {
    /// - Parameters:
    ///   - problem: Why the last try failed, and what to do.
    ///   - next: The path to go to afterwards: one of ours, or it is left out.
    ///   - csrf: Shows that the form came from this page.
    ///   - now: When it is shown.
    /// - Returns: The document.
    package static func render(problem: String?, next: String?, csrf: String, now: Date) -> String {
        let said: HTML = problem.map { "<p class=\"answer refused\" role=\"alert\">\($0)</p>" } ?? .none
        let onward: HTML =
            next.flatMap { Self.isOwn($0) ? "<input type=\"hidden\" name=\"next\" value=\"\($0)\">" : nil } ?? .none
        return PageShell(viewer: nil, time: now).page(
            title: "Log in",
            isLive: false,
            """
            <h1>Log in</h1>
            \(said)
            <form class="login" method="post" action="/login">
            <input type="hidden" name="csrf" value="\(csrf)">
            \(onward)
            <p><label for="token">Token</label>
            <input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
            <p class="hint">Whoever runs this controller makes one with <code>controller token create</code>.</p>
            <p><button type="submit" class="primary">Log in</button></p>
            </form>
            """
        )
    }

    /// A path on this server: `//elsewhere` and `/\elsewhere` would lead away.
    package static func isOwn(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.hasPrefix("//") && !path.contains("\\") && path.utf8.count <= 512
            && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

import Crypto
import Foundation

/// What a page refers to. A path has the hash of what it names, so that a browser may keep it for ever.
package enum PageAssets {
    package struct Asset: Sendable {
        package let path: String
        package let type: String
        package let text: String

        fileprivate init(_ name: String, _ ending: String, type: String, _ text: String) {
            let hash = SHA256.hash(data: Data(text.utf8)).prefix(8).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            self.path = "/assets/\(name)-\(hash.joined()).\(ending)"
            self.type = type
            self.text = text
        }
    }

    package static let style = Asset("page", "css", type: "text/css; charset=utf-8", PageStyle.text)
    package static let script = Asset("page", "js", type: "text/javascript; charset=utf-8", PageScript.text)
    package static let icon = Asset(
        "icon",
        "svg",
        type: "image/svg+xml",
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">\
        <rect width="16" height="16" rx="3" fill="#14508c"/>\
        <path d="M3 12V9h3V6h3V3h4" fill="none" stroke="#fff" stroke-width="2"/></svg>
        """
    )

    package static let all = [Self.style, Self.script, Self.icon]

    /// Changes with what is shipped, so that an open page loads itself again after an upgrade.
    static let version = Self.script.path + Self.style.path

    package static func named(_ path: String) -> Asset? {
        self.all.first { $0.path == path }
    }

    /// Nothing from elsewhere, nothing in the text of a page: what somebody wrote into a manifest cannot run.
    package static let contentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

import ControllerAPI
import Hummingbird

/// What a browser may be tricked into.
///
/// The socket has no passwords, and people forward it to a port of their own machine to look at the page. Then any web
/// page can send a form there, and one whose name is made to point there can read answers. So a request that another
/// site caused changes nothing, and on the socket only names of this machine are answered.
enum BrowserGuard {
    /// - Parameters:
    ///   - request: With `Host`, and in a browser with `Sec-Fetch-Site` or `Origin`.
    ///   - isOwnMachine: Whether only names of this machine are meant.
    /// - Throws: A `Problem`.
    static func check(_ request: Request, isOwnMachine: Bool) throws(Problem) {
        let host = request.head.authority ?? ""
        if isOwnMachine, !Self.names.contains(Self.name(of: host)) {
            throw Problem(
                status: 421,
                title: "Another host",
                detail: "this is the controller of this machine, and not \(host.prefix(100)): ask http://localhost"
            )
        }
        guard request.method != .get, request.method != .head else { return }
        let site = request.headers.first { $0.name.canonicalName == "sec-fetch-site" }?.value
        let origin = request.headers[.origin]
        // Programs send neither; `null` is a page without an origin, which may be anybody's.
        let isForeign =
            site.map { $0 != "same-origin" && $0 != "none" } ?? false
            || origin.map { $0.split(separator: "/", maxSplits: 2).last.map(String.init) != host } ?? false
        if isForeign {
            throw Problem(
                status: 403,
                title: "Another site's request",
                detail: "a page of another site asked for this: it changes nothing"
            )
        }
    }

    private static let names: Set<String> = ["controller", "localhost", "127.0.0.1", "[::1]"]

    /// Without the port.
    private static func name(of host: String) -> String {
        guard let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) else {
            return host
        }
        return String(host[..<colon])
    }
}

/// Answers what comes over the socket, where nobody shows who they are but the kernel.
struct SocketResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == PeerContext {
    let inner: Inner

    @concurrent
    func respond(to request: Request, context: PeerContext) async throws -> Response {
        try BrowserGuard.check(request, isOwnMachine: true)
        return try await self.inner.respond(to: request, context: context)
    }
}

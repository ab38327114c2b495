import ControllerAPI
import ControllerPage

/// How a page's forms show that they came from a page of ours. Who looks and what they may, the request's context says.
struct PageAccess: Sendable {
    /// The value of the hidden field of each form.
    let token: @Sendable (PeerContext) async throws -> String
    /// Whether the value that came back is the caller's.
    let isValid: @Sendable (String, PeerContext) async throws -> Bool

    /// For the socket, whose peer the kernel names.
    static func socket() -> PageAccess {
        let cookies = SessionCookie.ofThisProcess()
        return PageAccess(
            token: { cookies.formToken(for: try await $0.access().caller.name) },
            isValid: { cookies.isValid(formToken: $0, for: try await $1.access().caller.name) }
        )
    }

    /// For those who have logged in. A bearer's token no browser sends by itself, so it needs no other.
    static func sessions(_ authenticator: Authenticator) -> PageAccess {
        PageAccess(
            token: { context in context.cookie.flatMap { authenticator.formToken(for: $0) } ?? "" },
            isValid: { value, context in
                context.cookie.map { authenticator.isValid(formToken: value, for: $0) } ?? true
            }
        )
    }

    static let stale = Problem(
        status: 403,
        title: "The page is too old",
        detail: "Nothing was done: the form comes from before the controller started, or from somebody else. Open the "
            + "page again and send it anew."
    )
}

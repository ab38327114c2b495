import ControllerAPI
import ControllerPage
import Foundation
import Hummingbird

/// Where somebody shows a token once, and gets a cookie for it.
struct LoginRoutes: Sendable {
    let authenticator: Authenticator

    static let path = "/login"
    static let logoutPath = "/logout"

    /// Parts of pages are no secret, and the login page needs them.
    static func isOpen(_ request: Request) -> Bool {
        request.method == .get && request.uri.path.hasPrefix("/assets/")
    }

    /// - Returns: Nothing when something else is asked for.
    func answer(_ request: Request, from address: String?) async throws -> Response? {
        switch (request.method, request.uri.path) {
        case (.get, Self.path):
            self.page(problem: nil, next: request.uri.queryParameters.get("next").map { String($0) }, .ok)
        case (.post, Self.path): try await self.logIn(request, from: address)
        case (.post, Self.logoutPath): Self.leave
        default: nil
        }
    }

    /// Somebody who opens a page and has not logged in is led to where they can.
    static func detour(_ request: Request) -> Response? {
        guard request.method == .get, request.headers[.accept]?.contains("text/html") ?? false,
            !request.uri.path.hasPrefix(APIRoute.root)
        else { return nil }
        let allowed = CharacterSet(charactersIn: "/-._~").union(.alphanumerics)
        let next = request.uri.string.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return PageRoutes.guarded(
            Response(status: .seeOther, headers: [.location: "\(Self.path)?next=\(next)"])
        )
    }

    private func logIn(_ request: Request, from address: String?) async throws -> Response {
        let fields = URLText.fields(
            try await APIRoutes.body(of: request, limit: 32 << 10, tooLarge: "a token has at most 16 KiB")
        )
        let next = fields["next"].flatMap { LoginPage.isOwn($0) ? $0 : nil }
        guard self.authenticator.isValid(formToken: fields["csrf"] ?? "", for: Self.path) else {
            throw PageAccess.stale
        }
        let token = (fields["token"] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        let value: String
        let seconds: Int
        do {
            let session = try await self.authenticator.logIn(with: token, from: address)
            (value, seconds) = (session.value, max(1, Int(session.ends.timeIntervalSinceNow)))
        } catch let problem as Problem {
            let why = problem.status == 401 ? "This is no token of this controller, or it has ended." : problem.detail
            return self.page(problem: why, next: next, HTTPResponse.Status(code: problem.status))
        } catch let wait as RetryLater {
            return self.page(
                problem: "Too many wrong tokens came from your address: try again in \(wait.seconds) s.",
                next: next,
                .tooManyRequests
            )
        }
        var response = Response(status: .seeOther, headers: [.location: next ?? "/"])
        response.headers[.setCookie] =
            "\(SessionCookie.name)=\(value); Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=\(seconds)"
        return PageRoutes.guarded(response)
    }

    private func page(problem: String?, next: String?, _ status: HTTPResponse.Status) -> Response {
        let token = self.authenticator.formToken(for: Self.path) ?? ""
        return PageRoutes.html(LoginPage.render(problem: problem, next: next, csrf: token, now: Date()), status)
    }

    /// Whoever asks: a browser that another site sends here must not be, which was seen to.
    private static var leave: Response {
        var response = Response(status: .seeOther, headers: [.location: Self.path])
        response.headers[.setCookie] =
            "\(SessionCookie.name)=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        return PageRoutes.guarded(response)
    }
}

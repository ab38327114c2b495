import FoundationEssentials
import GitHubApps
import Reconciliation
import Transport

/// Asks the API of one forge, in the name of one repository.
///
/// Redirects are not followed: they could carry the token to another host.
struct ForgeConnection: Sendable {
    let configuration: ForgeConfiguration
    let client: HTTPClient
    /// What authorises a request, besides what all forges get.
    let headers: @Sendable (_ token: String) -> HTTPHeaders
    /// Of a GitHub App.
    private let tokens: InstallationTokens?

    init(
        configuration: ForgeConfiguration,
        client: HTTPClient,
        headers: @escaping @Sendable (_ token: String) -> HTTPHeaders
    ) {
        self.configuration = configuration
        self.client = client
        self.headers = headers
        self.tokens =
            if case .gitHubApp(let app) = configuration.credentials {
                InstallationTokens(
                    app: app,
                    client: client,
                    caFile: configuration.caFile,
                    timeout: configuration.timeout
                )
            } else { nil }
    }

    /// A page has some hundred kilobytes at most, but comments may be long.
    private static let maxAnswerBytes = 16 << 20
    /// More is not looked through: what is not found then is not known to be missing.
    private static let maxPages = 50

    struct Answer {
        var response: HTTPResponse
        var what: String

        /// Whether the `Link` field, which all three send, names a page after this one.
        var hasNext: Bool { self.response.headers["Link"]?.contains("rel=\"next\"") ?? false }
    }

    func get<Value: Decodable>(
        _ path: String,
        _ query: [(String, String)] = [],
        as type: Value.Type = Value.self
    ) async throws(ForgeFailure) -> Value {
        try self.decode(try await self.send("GET", path, query))
    }

    /// All pages of a list.
    func list<Value: Decodable>(
        _ path: String,
        _ query: [(String, String)] = [],
        size: (name: String, count: Int),
        as type: Value.Type = Value.self
    ) async throws(ForgeFailure) -> [Value] {
        var values: [Value] = []
        for page in 1...Self.maxPages {
            let paging = [(size.name, "\(size.count)"), ("page", "\(page)")]
            let answer = try await self.send("GET", path, query + paging)
            // Gitea answers nothing where there is nothing.
            if !answer.response.body.isEmpty { values += try self.decode(answer, as: [Value].self) }
            guard answer.hasNext else { return values }
        }
        throw self.failure(.tooLarge, "GET \(path) has more than \(Self.maxPages) pages: look there by hand")
    }

    @discardableResult
    func send(
        _ method: String,
        _ path: String,
        _ query: [(String, String)] = [],
        body: (any Encodable & Sendable)? = nil
    ) async throws(ForgeFailure) -> Answer {
        let token = try await self.token()
        var request = HTTPRequest(
            method: method,
            url: self.configuration.url + path + Self.text(query),
            headers: self.headers(token),
            timeout: self.configuration.timeout,
            maxResponseBytes: Self.maxAnswerBytes,
            caFile: self.configuration.caFile
        )
        request.headers["User-Agent"] = "controller"
        // When an answer is lost, what was asked for may have been done: it is looked at before it is asked for again.
        request.isNeverRepeated = method != "GET"
        if let body {
            do {
                request.body = Array(try JSONEncoder().encode(body))
            } catch {
                throw self.failure(.unreadable, "the request to \(path) cannot be written as JSON", .retry)
            }
            request.headers["Content-Type"] = "application/json"
        }
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await self.client.send(request)
        } catch {
            throw self.failure(error.code == .timedOut ? .timedOut : .unreachable, error.message, .retry)
        }
        let answer = Answer(response: response, what: "\(method) \(path)")
        if response.isSuccess { return answer }
        if response.status == 401 { await self.tokens?.forget(token) }
        throw self.refusal(answer, hiding: token)
    }

    func decode<Value: Decodable>(_ answer: Answer, as type: Value.Type = Value.self) throws(ForgeFailure) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(answer.response.body))
        } catch {
            let what = "answered something else than its API's format to \(answer.what): check `url`"
            throw self.failure(.unreadable, what, .retry)
        }
    }

    // MARK: - What goes wrong

    func failure(
        _ code: SourceError.Code,
        _ text: String,
        _ recovery: Recovery = .needsOperator,
        status: Int? = nil
    ) -> ForgeFailure {
        let place = WebAddress.redacted(self.configuration.url)
        let name = self.configuration.repository
        let message = "the forge of the repository \"\(name)\" (\(place), \(self.configuration.project)): \(text)"
        return ForgeFailure(status: status, error: SourceError(code: code, message: message, recovery: recovery))
    }

    private func refusal(_ answer: Answer, hiding token: String) -> ForgeFailure {
        let status = answer.response.status
        let words = ForgeWords.of(answer.response.body).replacing(token, with: "…")
        let said = "\(status) to \(answer.what)\(words.isEmpty ? "" : ": \(words)")"
        if let wait = self.askedWait(answer.response, words) {
            let seconds = wait.components.seconds
            return self.failure(
                .unreachable,
                "asks to wait \(seconds) s. It answered \(said)",
                .wait(wait),
                status: status
            )
        }
        switch status {
        case 300..<400:
            let place = answer.response.headers["Location"].map { " to \(WebAddress.redacted($0))" } ?? ""
            let advice = "which is not followed, as it could carry the token elsewhere. Correct `url` and `project`"
            return self.failure(.notConfigured, "redirects\(place), \(advice). It answered \(said)", status: status)
        case 401:
            return self.untaken(said)
        case 403:
            let advice = "does not allow this with that token: give it the rights that the reference names"
            return self.failure(.refused, "\(advice). It answered \(said)", status: status)
        case 404:
            let advice = "does not know this, or hides it from that token: check `project` and the token's rights"
            return self.failure(.refused, "\(advice). It answered \(said)", status: status)
        case 408, 425, 500...:
            return self.failure(.unreachable, "answered \(said)", .retry, status: status)
        default:
            return self.failure(.refused, "refuses. It answered \(said)", status: status)
        }
    }

    private func untaken(_ said: String) -> ForgeFailure {
        let place: String
        switch self.configuration.credentials {
        case .tokenFile(let file): place = file
        case .tokenVariable(let name): place = "the variable \(name), and restart"
        case .gitHubApp:
            let advice = "does not take the app's token, which may have been revoked: another one is asked for"
            return self.failure(.unreachable, "\(advice). It answered \(said)", .retry, status: 401)
        }
        return self.failure(
            .notConfigured,
            "does not take the token: renew it in \(place). It answered \(said)",
            status: 401
        )
    }

    /// How long to leave the forge alone, when a limit on requests is the reason.
    ///
    /// GitHub: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api. Its secondary
    /// limits are told by their words alone, and then a minute is to be waited. GitLab: `Retry-After`,
    /// `RateLimit-Reset`.
    private func askedWait(_ response: HTTPResponse, _ words: String) -> Duration? {
        guard response.status == 429 || response.status == 403 else { return nil }
        let headers = response.headers
        let minute = Duration.seconds(60)
        if let seconds = headers["Retry-After"].flatMap({ Int($0) }) {
            return .seconds(min(max(seconds, 1), 24 * 3600))
        }
        let remaining = headers["x-ratelimit-remaining"] ?? headers["RateLimit-Remaining"]
        let isUsedUp = remaining == "0"
        let reset = (headers["x-ratelimit-reset"] ?? headers["RateLimit-Reset"]).flatMap { Double($0) }
        if isUsedUp || response.status == 429, let reset {
            let left = reset - Date().timeIntervalSince1970
            return .seconds(min(max(left.rounded(.up), 1), 24 * 3600))
        }
        let isLimit = isUsedUp || response.status == 429 || words.lowercased().contains("rate limit")
        return isLimit ? minute : nil
    }

    // MARK: - Parts of a request

    /// Read anew for each request, so that it may be renewed.
    private func token() async throws(ForgeFailure) -> String {
        do throws(TokenFile.Missing) {
            switch self.configuration.credentials {
            case .tokenFile(let file): return try TokenFile.read(file)
            case .tokenVariable(let name): return try TokenVariable.read(name)
            case .gitHubApp: break
            }
        } catch {
            throw self.failure(.notConfigured, error.text)
        }
        do throws(AppFailure) {
            return try await self.tokens?.token(at: Date()) ?? ""
        } catch {
            let code: SourceError.Code =
                switch error.code {
                case .notConfigured, .refused: .notConfigured
                case .unreachable: .unreachable
                case .timedOut: .timedOut
                }
            let text = ForgeText.line(error.text, limit: 700)
            throw self.failure(code, text, error.isPassing ? .retry : .needsOperator)
        }
    }

    private static func text(_ query: [(String, String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
    }

    /// For one part of a path, or a value of a query.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return escaped
    }
}

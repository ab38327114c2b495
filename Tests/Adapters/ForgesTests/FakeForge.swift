import Forges
import Foundation
import LoopbackServer
import Reconciliation
import Synchronization
import Transport

/// A forge on a loopback port, as far as its documentation describes what is asked of it: paths, states, answers,
/// limits, pages and errors.
final class FakeForge: Sendable {
    let kind: ForgeConfiguration.Kind
    private let state = Mutex(State())
    private let listener = Mutex<LoopbackServer?>(nil)

    static let token = "glpat-secret/4711"
    static let project = "team/models"
    static let commit = String(repeating: "1a", count: 20)

    struct Status: Hashable {
        var id: Int
        var commit: String
        var name: String
        var state: String
        var description: String
        var link: String?
    }

    struct Comment: Hashable {
        var id: Int
        var body: String
        var isOurs = true
    }

    struct PullRequest: Hashable {
        var number: Int
        var head: String
        var base: String
        var title = ""
        var body = ""
        var isOpen = true
        /// Its merge commit.
        var merged: String?
    }

    /// In an environment.
    struct Deployment: Hashable {
        var id: Int
        var commit: String
        var environment: String
        /// Oldest first.
        var states: [String]
        var description = ""
    }

    struct State {
        var deployments: [Deployment] = []
        /// Every one that was ever posted, oldest first.
        var statuses: [Status] = []
        var comments: [Comment] = []
        var pullRequests: [PullRequest] = []
        var nextID = 1
        /// What the next requests of these methods are answered instead, before anything is done.
        var refusals: [LoopbackServer.Answer] = []
        /// So many writes are done, and their answers lost.
        var lostAnswers = 0
        var commits: Set<String> = [FakeForge.commit]
        var isSilent = false
        /// Who is let in besides those with the token.
        var app: App?
    }

    init(_ kind: ForgeConfiguration.Kind) throws {
        self.kind = kind
        // The listener's handler knows the forge, so it comes last.
        let server = try LoopbackServer { [weak self] request in self?.answer(request) ?? .silence }
        self.listener.withLock { $0 = server }
    }

    func stop() { self.listener.withLock { $0 }?.stop() }

    var requests: [LoopbackServer.Request] { self.listener.withLock { $0 }?.requests ?? [] }

    var url: String { (self.listener.withLock { $0 }?.url ?? "") + self.root }

    private var root: String {
        switch self.kind {
        case .github: "/api/v3"
        case .gitlab: "/api/v4"
        case .gitea: "/api/v1"
        }
    }

    var projectPath: String { self.kind == .gitlab ? "/projects/team%2Fmodels" : "/repos/team/models" }

    func change(_ body: (inout State) -> Void) { self.state.withLock { body(&$0) } }

    var now: State { self.state.withLock { $0 } }

    func forge(
        tokenFile: String,
        client: HTTPClient,
        _ change: (inout ForgeConfiguration) -> Void = { _ in }
    ) -> RemoteForge {
        var configuration = ForgeConfiguration(
            repository: "models",
            kind: self.kind,
            url: self.url,
            project: Self.project,
            branch: "main",
            credentials: .tokenFile(tokenFile)
        )
        configuration.topics = [.status, .comment, .deployment]
        change(&configuration)
        return RemoteForge(configuration: configuration, client: client)
    }

    // MARK: - Answers

    struct Call {
        var method: String
        var path: String
        var query: [String: String]
        var body: [String: Any]

        func text(_ name: String) -> String { self.body[name] as? String ?? "" }
    }

    private func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        self.state.withLock { state in
            if state.isSilent { return .silence }
            if !state.refusals.isEmpty { return state.refusals.removeFirst() }
            if var app = state.app {
                defer { state.app = app }
                if let answer = self.installationToken(request, &app) { return answer }
            }
            let valid = state.app.map { $0.isRevoked ? "" : $0.tokens.last ?? "" } ?? Self.token
            let isKnown =
                switch self.kind {
                case .github: request.headers["authorization"] == "Bearer \(valid)"
                case .gitlab: request.headers["private-token"] == Self.token
                case .gitea: request.headers["authorization"] == "token \(Self.token)"
                }
            guard isKnown else {
                return Self.json(401, ["message": self.kind == .gitlab ? "401 Unauthorized" : "Bad credentials"])
            }
            // GitHub refuses who does not say what it is.
            guard request.headers["user-agent"] != nil else {
                return Self.json(403, ["message": "User-Agent required"])
            }
            let parts = request.target.split(separator: "?", maxSplits: 1)
            guard parts[0].hasPrefix(self.root) else { return Self.json(404, ["message": "Not Found"]) }
            var call = Call(
                method: request.method,
                path: String(parts[0].dropFirst(self.root.count)),
                query: [:],
                body: (try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]) ?? [:]
            )
            for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                call.query[String(sides[0])] = sides.count > 1 ? String(sides[1]).removingPercentEncoding : ""
            }
            let answer: LoopbackServer.Answer =
                switch self.kind {
                case .github: self.github(call, &state)
                case .gitlab: self.gitlab(call, &state)
                case .gitea: self.gitea(call, &state)
                }
            if request.method != "GET", state.lostAnswers > 0 {
                state.lostAnswers -= 1
                // The connection ends in the middle of the answer.
                return .raw(Array("HTTP/1.1 2".utf8))
            }
            return answer
        }
    }

    static func json(_ status: Int, _ value: Any, headers: [String: String] = [:]) -> LoopbackServer.Answer {
        // What the tests hand over can be written.
        let bytes = (try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed])) ?? Data()
        return .status(
            status,
            headers: headers.merging(["Content-Type": "application/json"]) { first, _ in first },
            body: Array(bytes)
        )
    }

    /// A page of a list, with the `Link` field that names the next one.
    func page(_ values: [[String: Any]], _ call: Call) -> LoopbackServer.Answer {
        let name = self.kind == .gitea ? "limit" : "per_page"
        let size = min(Int(call.query[name] ?? "") ?? 30, self.kind == .gitea ? 50 : 100)
        let page = Int(call.query["page"] ?? "") ?? 1
        let start = min((page - 1) * size, values.count)
        let end = min(start + size, values.count)
        let next = "<\(self.url)\(call.path)?page=\(page + 1)>; rel=\"next\""
        let first = "<\(self.url)\(call.path)?page=1>; rel=\"first\""
        return Self.json(
            200,
            Array(values[start..<end]),
            headers: ["Link": end < values.count ? "\(next), \(first)" : first]
        )
    }

    func newID(_ state: inout State) -> Int {
        defer { state.nextID += 1 }
        return state.nextID
    }
}

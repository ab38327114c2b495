import Forges
import Foundation
import LoopbackServer

/// docs.github.com/en/rest: statuses, pulls of a commit, issue comments, pulls.
extension FakeForge {
    func github(_ call: Call, _ state: inout State) -> LoopbackServer.Answer {
        let path = call.path.dropFirst(self.projectPath.count)
        guard call.path.hasPrefix(self.projectPath) else { return Self.json(404, Self.notFound) }
        let parts = path.split(separator: "/").map(String.init)
        switch (call.method, parts.first, parts.count) {
        case ("GET", "commits", 3) where parts[2] == "status":
            guard state.commits.contains(parts[1]) else { return Self.noCommit(parts[1]) }
            return self.combined(call, parts[1], state)
        case ("POST", "statuses", 2): return self.githubStatus(call, parts[1], &state)
        case ("GET", "commits", 3) where parts[2] == "pulls":
            guard state.commits.contains(parts[1]) else { return Self.noCommit(parts[1]) }
            return self.page(state.pullRequests.filter { $0.merged == parts[1] }.map(self.githubPull), call)
        case ("GET", "issues", 3) where parts[2] == "comments":
            return self.page(state.comments.map { ["id": $0.id, "body": $0.body] }, call)
        case ("POST", "issues", 3) where parts[2] == "comments":
            let id = self.newID(&state)
            state.comments.append(Comment(id: id, body: call.text("body")))
            return Self.json(201, ["id": id, "body": call.text("body")])
        case ("PATCH", "issues", 3) where parts[1] == "comments":
            guard let index = state.comments.firstIndex(where: { "\($0.id)" == parts[2] }) else {
                return Self.json(404, Self.notFound)
            }
            guard state.comments[index].isOurs else {
                return Self.json(403, ["message": "Must have admin rights to Repository."])
            }
            state.comments[index].body = call.text("body")
            return Self.json(200, ["id": state.comments[index].id, "body": call.text("body")])
        case ("GET", "pulls", 1):
            let found = state.pullRequests.filter { request in
                (call.query["state"] == "all" || request.isOpen) && call.query["head"] == "team:\(request.head)"
                    && call.query["base"] == request.base
            }
            return self.page(found.map(self.githubPull), call)
        case ("POST", "pulls", 1):
            let (head, base) = (call.text("head"), call.text("base"))
            guard !state.pullRequests.contains(where: { $0.isOpen && $0.head == head && $0.base == base }) else {
                let error = ["message": "A pull request already exists for team:\(head)."]
                return Self.json(422, ["message": "Validation Failed", "errors": [error]])
            }
            let request = PullRequest(
                number: self.newID(&state),
                head: head,
                base: base,
                title: call.text("title"),
                body: call.text("body")
            )
            state.pullRequests.append(request)
            return Self.json(201, self.githubPull(request))
        case (_, "deployments", _): return self.githubDeployment(call, parts, &state)
        default: return Self.json(404, Self.notFound)
        }
    }

    static let notFound = ["message": "Not Found", "documentation_url": "https://docs.github.com/rest"]

    private static func noCommit(_ sha: String) -> LoopbackServer.Answer {
        Self.json(422, ["message": "No commit found for SHA: \(sha)"])
    }

    /// The newest of each context; contexts are the same whatever their case.
    private func combined(_ call: Call, _ commit: String, _ state: State) -> LoopbackServer.Answer {
        var latest: [String: Status] = [:]
        for status in state.statuses where status.commit == commit { latest[status.name.lowercased()] = status }
        let all = latest.values.sorted { $0.id < $1.id }
        let size = min(Int(call.query["per_page"] ?? "") ?? 30, 100)
        let start = min((Int(call.query["page"] ?? "") ?? 1) - 1, all.count) * size
        let page = all.dropFirst(start).prefix(size).map(self.statusBody)
        return Self.json(200, ["state": "pending", "sha": commit, "total_count": all.count, "statuses": Array(page)])
    }

    func statusBody(_ status: Status) -> [String: Any] {
        [
            "id": status.id, self.kind == .github ? "state" : "status": status.state, "context": status.name,
            "description": status.description, "target_url": status.link ?? NSNull() as Any,
        ]
    }

    private func githubStatus(_ call: Call, _ commit: String, _ state: inout State) -> LoopbackServer.Answer {
        guard state.commits.contains(commit) else { return Self.noCommit(commit) }
        let name = call.text("context")
        let description = call.text("description")
        var errors: [[String: String]] = []
        if !["error", "failure", "pending", "success"].contains(call.text("state")) {
            errors.append(["resource": "Status", "code": "custom", "field": "state"])
        }
        if description.unicodeScalars.count > 140 {
            errors.append(["message": "description is too long (maximum is 140 characters)"])
        }
        if description.unicodeScalars.contains(where: { $0.value > 0xFFFF }) {
            errors.append(["message": "description contains unicode characters above 0xffff"])
        }
        if state.statuses.count(where: { $0.commit == commit && $0.name.lowercased() == name.lowercased() }) >= 1000 {
            errors.append(["message": "This SHA and context has reached the maximum number of statuses."])
        }
        guard errors.isEmpty else { return Self.json(422, ["message": "Validation Failed", "errors": errors]) }
        let status = Status(
            id: self.newID(&state),
            commit: commit,
            name: name,
            state: call.text("state"),
            description: description,
            link: call.body["target_url"] as? String
        )
        state.statuses.append(status)
        return Self.json(201, self.statusBody(status))
    }

    private func githubPull(_ request: PullRequest) -> [String: Any] {
        [
            "number": request.number, "state": request.isOpen ? "open" : "closed", "base": ["ref": request.base],
            "head": ["ref": request.head], "html_url": "\(self.url)/pull/\(request.number)",
            "merged_at": request.merged == nil ? NSNull() as Any : "2026-11-30T12:00:00Z",
            "merge_commit_sha": request.merged ?? NSNull() as Any,
        ]
    }
}

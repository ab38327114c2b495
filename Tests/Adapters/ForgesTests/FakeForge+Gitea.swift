import Forges
import Foundation
import LoopbackServer

/// docs.gitea.com/api: repository and issue.
extension FakeForge {
    func gitea(_ call: Call, _ state: inout State) -> LoopbackServer.Answer {
        guard call.path.hasPrefix(self.projectPath) else { return Self.json(404, Self.giteaNotFound) }
        let parts = call.path.dropFirst(self.projectPath.count).split(separator: "/").map(String.init)
        switch (call.method, parts.first, parts.count) {
        case ("GET", nil, 0): return Self.json(200, ["id": 7, "full_name": Self.project])
        case ("GET", "commits", 3) where parts[2] == "statuses":
            let found = state.statuses.filter { $0.commit == parts[1] }
            let isNewestFirst = call.query["sort"] == "highestindex"
            return self.page((isNewestFirst ? found.reversed() : found).map(self.statusBody), call)
        case ("POST", "statuses", 2):
            guard state.commits.contains(parts[1]) else { return Self.json(404, Self.giteaNotFound) }
            let status = Status(
                id: self.newID(&state),
                commit: parts[1],
                name: call.text("context"),
                state: call.text("state"),
                description: call.text("description"),
                link: call.body["target_url"] as? String
            )
            guard ["pending", "success", "error", "failure", "warning"].contains(status.state) else {
                return Self.json(422, ["message": "invalid state"])
            }
            state.statuses.append(status)
            return Self.json(201, self.statusBody(status))
        case ("GET", "commits", 3) where parts[2] == "pull":
            let found = state.pullRequests.first { $0.merged == parts[1] }
            return found.map { Self.json(200, self.giteaPull($0)) } ?? Self.json(404, Self.giteaNotFound)
        case ("GET", "issues", 3) where parts[2] == "comments":
            // All of them, whatever is asked for.
            return Self.json(200, state.comments.map { ["id": $0.id, "body": $0.body] })
        case ("POST", "issues", 3) where parts[2] == "comments":
            let id = self.newID(&state)
            state.comments.append(Comment(id: id, body: call.text("body")))
            return Self.json(201, ["id": id, "body": call.text("body")])
        case ("PATCH", "issues", 3) where parts[1] == "comments":
            guard let index = state.comments.firstIndex(where: { "\($0.id)" == parts[2] }) else {
                return Self.json(404, Self.giteaNotFound)
            }
            guard state.comments[index].isOurs else { return Self.json(403, ["message": "Forbidden"]) }
            state.comments[index].body = call.text("body")
            return Self.json(200, ["id": state.comments[index].id, "body": call.text("body")])
        case ("GET", "pulls", 1):
            let found = state.pullRequests.filter { call.query["state"] == "all" || $0.isOpen }
            return self.page(found.map(self.giteaPull), call)
        case ("POST", "pulls", 1):
            let (head, base) = (call.text("head"), call.text("base"))
            guard !state.pullRequests.contains(where: { $0.isOpen && $0.head == head && $0.base == base }) else {
                return Self.json(409, ["message": "pull request already exists for these targets"])
            }
            let request = PullRequest(
                number: self.newID(&state),
                head: head,
                base: base,
                title: call.text("title"),
                body: call.text("body")
            )
            state.pullRequests.append(request)
            return Self.json(201, self.giteaPull(request))
        default: return Self.json(404, Self.giteaNotFound)
        }
    }

    private static let giteaNotFound = [
        "message": "The target couldn't be found.", "url": "https://gitea.example/api/swagger",
    ]

    private func giteaPull(_ request: PullRequest) -> [String: Any] {
        [
            "number": request.number, "state": request.isOpen ? "open" : "closed", "merged": request.merged != nil,
            "html_url": "\(self.url)/pulls/\(request.number)",
            "base": ["ref": request.base, "repo": ["full_name": Self.project]],
            "head": ["ref": request.head, "repo": ["full_name": Self.project]],
        ]
    }
}

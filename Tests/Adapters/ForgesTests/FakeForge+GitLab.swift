import Forges
import Foundation
import LoopbackServer

/// docs.gitlab.com/api: commits, merge requests, notes.
extension FakeForge {
    func gitlab(_ call: Call, _ state: inout State) -> LoopbackServer.Answer {
        guard call.path.hasPrefix(self.projectPath) else { return Self.json(404, ["message": "404 Project Not Found"]) }
        let parts = call.path.dropFirst(self.projectPath.count).split(separator: "/").map(String.init)
        switch (call.method, parts.first, parts.count) {
        case ("GET", "repository", 4) where parts[1] == "commits" && parts[3] == "statuses":
            guard state.commits.contains(parts[2]) else { return Self.json(404, ["message": "404 Commit Not Found"]) }
            return self.gitlabStatuses(call, parts[2], state)
        case ("POST", "statuses", 2): return self.gitlabStatus(call, parts[1], &state)
        case ("GET", "repository", 4) where parts[1] == "commits" && parts[3] == "merge_requests":
            guard state.commits.contains(parts[2]) else { return Self.json(404, ["message": "404 Commit Not Found"]) }
            return self.page(state.pullRequests.filter { $0.merged == parts[2] }.map(self.gitlabRequest), call)
        case ("GET", "merge_requests", 3) where parts[2] == "notes":
            return self.page(state.comments.map { ["id": $0.id, "body": $0.body, "system": false] }, call)
        case ("POST", "merge_requests", 3) where parts[2] == "notes":
            let id = self.newID(&state)
            state.comments.append(Comment(id: id, body: call.text("body")))
            return Self.json(201, ["id": id, "body": call.text("body")])
        case ("PUT", "merge_requests", 4) where parts[2] == "notes":
            guard let index = state.comments.firstIndex(where: { "\($0.id)" == parts[3] }) else {
                return Self.json(404, ["message": "404 Note Not Found"])
            }
            guard state.comments[index].isOurs else { return Self.json(403, ["message": "403 Forbidden"]) }
            state.comments[index].body = call.text("body")
            return Self.json(200, ["id": state.comments[index].id, "body": call.text("body")])
        case ("GET", "merge_requests", 1):
            let found = state.pullRequests.filter { request in
                (call.query["state"] == "opened") == request.isOpen && call.query["source_branch"] == request.head
                    && call.query["target_branch"] == request.base
            }
            return self.page(found.map(self.gitlabRequest), call)
        case ("POST", "merge_requests", 1):
            let (head, base) = (call.text("source_branch"), call.text("target_branch"))
            if let open = state.pullRequests.first(where: { $0.isOpen && $0.head == head && $0.base == base }) {
                let text = "Another open merge request already exists for this source branch: !\(open.number)"
                return Self.json(409, ["message": [text]])
            }
            let request = PullRequest(
                number: self.newID(&state),
                head: head,
                base: base,
                title: call.text("title"),
                body: call.text("description")
            )
            state.pullRequests.append(request)
            return Self.json(201, self.gitlabRequest(request))
        case (_, "deployments", _): return self.gitlabDeployment(call, parts, &state)
        default: return Self.json(404, ["error": "404 Not Found"])
        }
    }

    /// Of each name the newest job, by itself; the older ones count as retried.
    private func gitlabStatuses(_ call: Call, _ commit: String, _ state: State) -> LoopbackServer.Answer {
        var latest: [String: Status] = [:]
        for status in state.statuses where status.commit == commit { latest[status.name] = status }
        let found = latest.values.filter { call.query["name"] == nil || call.query["name"] == $0.name }
        return self.page(found.sorted { $0.id < $1.id }.map(self.gitlabBody), call)
    }

    private func gitlabBody(_ status: Status) -> [String: Any] {
        [
            "id": status.id, "sha": status.commit, "ref": "main", "status": status.state, "name": status.name,
            "description": status.description, "target_url": status.link ?? NSNull() as Any,
        ]
    }

    /// A job that runs or waits is changed; one that has ended is retried, as a new one.
    private func gitlabStatus(_ call: Call, _ commit: String, _ state: inout State) -> LoopbackServer.Answer {
        guard state.commits.contains(commit) else { return Self.json(404, ["message": "404 Commit Not Found"]) }
        let wanted = call.text("state")
        guard ["pending", "running", "success", "failed", "canceled", "skipped"].contains(wanted) else {
            return Self.json(400, ["error": "state does not have a valid value"])
        }
        guard call.text("description").unicodeScalars.count <= 255 else {
            return Self.json(400, ["message": ["description": ["is too long (maximum is 255 characters)"]]])
        }
        var status = Status(
            id: 0,
            commit: commit,
            name: call.text("name"),
            state: wanted,
            description: call.text("description"),
            link: call.body["target_url"] as? String
        )
        let active = state.statuses.lastIndex {
            $0.commit == commit && $0.name == status.name && ["pending", "running"].contains($0.state)
        }
        if let active {
            let before = state.statuses[active].state
            guard before != wanted else {
                let text =
                    "Cannot transition status via :run from :\(before) (Reason(s): Status cannot transition via \"run\")"
                return Self.json(400, ["message": text])
            }
            status.id = state.statuses[active].id
            state.statuses[active] = status
        } else {
            status.id = self.newID(&state)
            state.statuses.append(status)
        }
        return Self.json(201, self.gitlabBody(status))
    }

    private func gitlabRequest(_ request: PullRequest) -> [String: Any] {
        [
            "id": 1000 + request.number, "iid": request.number, "source_branch": request.head,
            "target_branch": request.base, "web_url": "\(self.url)/-/merge_requests/\(request.number)",
            "state": request.merged != nil ? "merged" : request.isOpen ? "opened" : "closed",
        ]
    }
}

import Foundation
import LoopbackServer

/// docs.github.com/en/rest/deployments, docs.gitlab.com/api/deployments.
extension FakeForge {
    func githubDeployment(_ call: Call, _ parts: [String], _ state: inout State) -> LoopbackServer.Answer {
        let states = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
        switch (call.method, parts.count) {
        case ("GET", 1):
            let found = state.deployments.filter { deployment in
                call.query["sha"] == deployment.commit && call.query["environment"] == deployment.environment
            }
            return self.page(found.reversed().map { ["id": $0.id, "sha": $0.commit] }, call)
        case ("POST", 1):
            guard call.body["auto_merge"] as? Bool == false, (call.body["required_contexts"] as? [Any])?.isEmpty == true
            else { return Self.json(409, ["message": "Conflict: Commit status checks failed for main."]) }
            guard state.commits.contains(call.text("ref")) else {
                return Self.json(422, ["message": "No ref found for: \(call.text("ref"))"])
            }
            let id = self.newID(&state)
            let environment = call.text("environment")
            state.deployments.append(
                Deployment(id: id, commit: call.text("ref"), environment: environment, states: [])
            )
            return Self.json(201, ["id": id, "sha": call.text("ref"), "environment": environment])
        default:
            guard let index = state.deployments.firstIndex(where: { "\($0.id)" == parts[1] }), parts.count == 3 else {
                return Self.json(404, Self.notFound)
            }
            if call.method == "GET" {
                let known = state.deployments[index]
                return self.page(
                    known.states.reversed().map { ["state": $0, "description": known.description] },
                    call
                )
            }
            guard states.contains(call.text("state")), call.text("description").count <= 140 else {
                return Self.json(422, ["message": "Validation Failed"])
            }
            state.deployments[index].states.append(call.text("state"))
            state.deployments[index].description = call.text("description")
            return Self.json(201, ["id": self.newID(&state), "state": call.text("state")])
        }
    }

    func gitlabDeployment(_ call: Call, _ parts: [String], _ state: inout State) -> LoopbackServer.Answer {
        let body = { (deployment: Deployment) -> [String: Any] in
            [
                "id": deployment.id, "sha": deployment.commit, "ref": "main", "status": deployment.states.last ?? "",
                "environment": ["name": deployment.environment],
            ]
        }
        switch (call.method, parts.count) {
        case ("GET", 1):
            let found = state.deployments.filter { call.query["environment"] == $0.environment }
            let isNewestFirst = call.query["sort"] == "desc"
            return self.page((isNewestFirst ? found.reversed() : found).map(body), call)
        case ("POST", 1):
            guard state.commits.contains(call.text("sha")), !call.text("ref").isEmpty, call.body["tag"] is Bool else {
                return Self.json(400, ["message": ["ref": ["The branch or tag does not exist"]]])
            }
            let deployment = Deployment(
                id: self.newID(&state),
                commit: call.text("sha"),
                environment: call.text("environment"),
                states: [call.text("status")]
            )
            state.deployments.append(deployment)
            return Self.json(201, body(deployment))
        case ("PUT", 2):
            guard let index = state.deployments.firstIndex(where: { "\($0.id)" == parts[1] }) else {
                return Self.json(404, ["message": "404 Not found"])
            }
            guard state.deployments[index].states.last == "running" else {
                return Self.json(400, ["message": "Cannot transition status"])
            }
            state.deployments[index].states.append(call.text("status"))
            return Self.json(200, body(state.deployments[index]))
        default: return Self.json(404, ["error": "404 Not Found"])
        }
    }
}

import Audits
import ControllerAPI
import Deployments

extension AuditDesk {
    func command(
        _ request: OperatorRequest,
        on id: DeploymentID,
        by caller: Caller,
        perform: () async -> OperatorAnswer
    ) async throws -> OperatorAnswer {
        var parameters: [String: String] = [:]
        parameters["until"] = request.until.map { APICoding.text(of: $0) }
        parameters["to"] = request.to
        if request.full { parameters["full"] = "true" }
        if request.force { parameters["force"] = "true" }
        parameters["revert"] = request.revert?.rawValue
        let asked = Request(
            caller: caller.audited(as: request.by),
            action: request.verb.rawValue,
            deployment: id,
            why: request.why,
            parameters: parameters,
            isSafety: [.pause, .abort, .rollback].contains(request.verb)
        )
        return try await self.audited(asked, perform: perform) { AuditOutcome($0) }
    }

    /// One entry for what is asked, and one for each deployment that it is asked of.
    func batch(
        _ request: BatchRequest,
        by caller: Caller,
        perform: () async -> BatchAnswer
    ) async throws -> BatchAnswer {
        var parameters = request.selection.audited
        parameters["until"] = request.until.map { APICoding.text(of: $0) }
        let asked = Request(
            caller: caller.audited(as: request.by),
            action: request.verb.rawValue,
            why: request.why,
            parameters: parameters,
            isSafety: request.verb == .pause
        )
        return try await self.audited(asked, perform: perform) { answer, _, _ in
            var results: [Result] = []
            for entry in answer.answers {
                let after = await self.state(of: DeploymentID(entry.deployment))
                let outcome = AuditOutcome(
                    isAccepted: entry.accepted,
                    isChanged: entry.changed,
                    message: entry.message
                )
                results.append(Result(deployment: entry.deployment, outcome: outcome, before: nil, after: after))
            }
            guard results.isEmpty else { return results }
            let nobody = AuditOutcome(isAccepted: false, isChanged: false, message: "no deployment is selected")
            return [Result(deployment: nil, outcome: nobody, before: nil, after: nil)]
        }
    }

    func model(
        _ request: ModelRequest,
        on id: DeploymentID,
        by caller: Caller,
        perform: () async -> ModelAnswer
    ) async throws -> ModelAnswer {
        var parameters = ["to": request.to, "mode": request.mode.rawValue]
        parameters["digest"] = request.digest
        if request.dryRun { parameters["dryRun"] = "true" }
        let asked = Request(
            caller: caller.audited(as: request.by),
            action: "promote-model",
            deployment: id,
            why: request.why,
            parameters: parameters,
            // It only says what would be done.
            isSafety: request.dryRun
        )
        return try await self.audited(asked, perform: perform) {
            AuditOutcome(isAccepted: $0.accepted, isChanged: $0.changed, message: $0.message)
        }
    }

    /// How many labels, and not which: there are thousands an hour.
    func feedback(_ answer: FeedbackAnswer, of count: Int, on id: DeploymentID, by caller: Caller) {
        let request = Request(
            caller: caller,
            action: "feedback",
            deployment: id,
            why: "",
            parameters: ["labels": "\(count)", "counted": "\(answer.counted)"]
        )
        let message = "\(answer.counted) of \(count) labels counted"
        self.note(request, AuditOutcome(isAccepted: true, isChanged: answer.counted > 0, message: message))
    }

    func freeze(
        _ request: FreezeRequest,
        by caller: Caller,
        perform: () async -> FreezeAnswer
    ) async throws -> FreezeAnswer {
        var parameters = request.selection.audited
        parameters["until"] = APICoding.text(of: request.until)
        let asked = Request(
            caller: caller.audited(as: request.by),
            action: "freeze",
            why: request.why,
            parameters: parameters,
            isSafety: true
        )
        return try await self.audited(asked, perform: perform) { AuditOutcome($0) }
    }

    func unfreeze(
        _ id: Int64,
        why: String,
        as name: String,
        by caller: Caller,
        perform: () async -> FreezeAnswer
    ) async throws -> FreezeAnswer {
        let asked = Request(
            caller: caller.audited(as: name),
            action: "unfreeze",
            why: why,
            parameters: ["freeze": "\(id)"]
        )
        return try await self.audited(asked, perform: perform) { AuditOutcome($0) }
    }
}

extension AuditOutcome {
    fileprivate init(_ answer: OperatorAnswer) {
        self.init(isAccepted: answer.accepted, isChanged: answer.changed, message: answer.message)
    }

    fileprivate init(_ answer: FreezeAnswer) {
        self.init(isAccepted: answer.accepted, isChanged: answer.changed, message: answer.message)
    }
}

extension DeploymentSelection {
    fileprivate var audited: [String: String] {
        var values: [String: String] = [:]
        values["names"] = self.names?.joined(separator: ",")
        values["namespace"] = self.namespace
        values["labels"] = self.labels?.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            .joined(separator: ",")
        if self.all == true { values["all"] = "true" }
        return values
    }
}

extension Caller {
    /// On the socket with the person behind a `sudo`; over the network the credential says who it was.
    fileprivate func audited(as attribution: String) -> Caller {
        guard self.way == .socket else { return self }
        var caller = self
        caller.name = attribution
        return caller
    }
}

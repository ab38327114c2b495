package import Audits
package import ControllerAPI
package import Deployments
import Foundation
import Synchronization

/// Has what is asked of the controller audited: before it is done, and once it is known what came of it.
///
/// What makes users safer is done whether it can be audited or not. What does not waits for the disk, and is refused
/// when that takes nothing.
package struct AuditDesk: Sendable {
    /// Nothing where nobody audits.
    let trail: AuditTrail?
    let deployment: @Sendable (DeploymentID) async -> DeploymentStatus?
    private let door = AuditDoor()

    package init(
        trail: AuditTrail?,
        deployment: @escaping @Sendable (DeploymentID) async -> DeploymentStatus?
    ) {
        self.trail = trail
        self.deployment = deployment
    }

    /// What a disk that works takes some ten times over, and what nobody notices at three in the morning.
    private static let patience: Duration = .milliseconds(250)
    /// For what may wait.
    private static let longPatience: Duration = .seconds(5)

    /// A request that is audited twice.
    struct Request: Sendable {
        var caller: Caller
        var action: String
        var deployment: DeploymentID?
        var why: String
        var parameters: [String: String] = [:]
        /// Takes nothing from users: it is never kept waiting, and never refused.
        var isSafety = false
    }

    /// What a request came to, for one deployment or for none.
    struct Result: Sendable {
        var deployment: String?
        var outcome: AuditOutcome
        var before: [String: String]?
        var after: [String: String]?
    }

    /// Audits one request around what it does.
    ///
    /// - Throws: A `Problem` when it must not be done unaudited, and cannot be audited.
    func audited<Answer: Sendable>(
        _ request: Request,
        perform: () async -> Answer,
        outcome: (Answer) -> AuditOutcome
    ) async throws -> Answer {
        try await self.audited(request, perform: perform) { answer, before, after in
            [Result(deployment: nil, outcome: outcome(answer), before: before, after: after)]
        }
    }

    /// The same for a request about many: `results` makes an entry for each.
    func audited<Answer: Sendable>(
        _ request: Request,
        perform: () async -> Answer,
        results: (Answer, [String: String]?, [String: String]?) async -> [Result]
    ) async throws -> Answer {
        guard let trail = self.trail else { return await perform() }
        let before = await self.state(of: request.deployment)
        let id = UUID().uuidString.replacing("-", with: "").prefix(16).lowercased()
        var draft = AuditDraft(
            time: trail.time,
            stage: .asked,
            request: id,
            caller: AuditCaller(request.caller),
            action: request.action,
            deployment: request.deployment?.description,
            why: request.why,
            parameters: request.parameters,
            before: before
        )
        let receipt = await trail.write([draft], atMost: request.isSafety ? Self.patience : Self.longPatience)
        draft.stage = .answered
        if receipt != .written, !request.isSafety {
            let problem = Self.unaudited(request.action, trail.account.problem)
            draft.outcome = AuditOutcome(isAccepted: false, isChanged: false, message: problem.detail)
            trail.note([draft])
            throw problem
        }
        let answer = await perform()
        let results = await results(answer, before, self.state(of: request.deployment))
        let entries = results.map { result in
            var entry = draft
            entry.time = trail.time
            entry.deployment = result.deployment ?? draft.deployment
            entry.outcome = result.outcome
            entry.before = result.before.map { AuditFields($0) }
            entry.after = result.after.map { AuditFields($0) }
            return entry
        }
        _ = await trail.write(entries, atMost: Self.patience)
        return answer
    }

    /// Audits what needs no entry beforehand.
    func note(_ request: Request, _ outcome: AuditOutcome) {
        guard let trail = self.trail else { return }
        trail.note([
            AuditDraft(
                time: trail.time,
                caller: AuditCaller(request.caller),
                action: request.action,
                deployment: request.deployment?.description,
                why: request.why,
                parameters: request.parameters,
                outcome: outcome
            )
        ])
    }

    /// Audits somebody who was turned away (`forbidden`, `unauthenticated`) from something (`POST /api/v1/…`): at most
    /// so many in a minute, as whoever floods the door must not push older entries out of the file.
    package func refuse(_ caller: Caller, action: String, what: String, why: String) {
        guard let trail = self.trail, let unlisted = self.door.admit(at: trail.time) else { return }
        var parameters = ["request": what]
        if unlisted > 0 { parameters["unlisted"] = "\(unlisted)" }
        let request = Request(caller: caller, action: action, why: "", parameters: parameters)
        self.note(request, AuditOutcome(isAccepted: false, isChanged: false, message: why))
    }

    func state(of id: DeploymentID?) async -> [String: String]? {
        guard let id else { return nil }
        return await self.deployment(id)?.audited
    }

    private static func unaudited(_ action: String, _ problem: String?) -> Problem {
        Problem(
            status: 503,
            title: "Not audited",
            detail: "\(action) was not done, as it cannot be audited: \(problem ?? "the disk does not answer"). "
                + "pause, abort, rollback and freeze are done all the same"
        )
    }
}

/// Counts who is turned away.
final class AuditDoor: Sendable {
    private struct State {
        var minute: Int64 = 0
        var admitted = 0
        var unlisted = 0
    }

    private let state = Mutex(State())
    static let limit = 60

    /// - Returns: How many were not listed since the last that was; nothing when this one is not to be, either.
    func admit(at now: Timestamp) -> Int? {
        self.state.withLock { state in
            let minute = now.milliseconds / 60_000
            if minute != state.minute { (state.minute, state.admitted) = (minute, 0) }
            guard state.admitted < Self.limit else {
                state.unlisted += 1
                return nil
            }
            state.admitted += 1
            defer { state.unlisted = 0 }
            return state.unlisted
        }
    }
}

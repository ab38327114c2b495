import Audits
import ControllerAPI

extension AuditDesk {
    /// A token is made: for whom, with which rights; never the token.
    func created(
        _ request: TokenRequest,
        by caller: Caller,
        perform: () async -> Swift.Result<TokenAnswer, ControllerServerError>
    ) async throws -> Swift.Result<TokenAnswer, ControllerServerError> {
        let asked = Request(
            caller: caller,
            action: "create-token",
            why: "",
            parameters: [
                "name": request.name, "grants": request.grants.map(\.description).joined(separator: "; "),
                "lifetime": "\(request.lifetime)",
            ]
        )
        return try await self.audited(asked, perform: perform) { result in
            switch result {
            case .success(let answer):
                AuditOutcome(isAccepted: true, isChanged: true, message: "token \(answer.status.id) was made")
            case .failure(let error): AuditOutcome(isAccepted: false, isChanged: false, message: error.message)
            }
        }
    }

    /// Takes rights away, and so is never kept waiting.
    func revoked(
        _ id: String,
        by caller: Caller,
        perform: () async -> Swift.Result<TokenStatus?, ControllerServerError>
    ) async throws -> Swift.Result<TokenStatus?, ControllerServerError> {
        let asked = Request(
            caller: caller,
            action: "revoke-token",
            why: "",
            parameters: ["token": id],
            isSafety: true
        )
        return try await self.audited(asked, perform: perform) { result in
            switch result {
            case .success(let token?):
                AuditOutcome(isAccepted: true, isChanged: true, message: "\(token.name)'s token was revoked")
            case .success(nil):
                AuditOutcome(isAccepted: false, isChanged: false, message: "there is no such token")
            case .failure(let error): AuditOutcome(isAccepted: false, isChanged: true, message: error.message)
            }
        }
    }

    /// Somebody showed a credential that is none, has ended, or is meant for somebody else.
    func unauthenticated(from address: String?, what: String) {
        self.refuse(
            Caller(name: "unknown", way: .token, address: address),
            action: "unauthenticated",
            what: what,
            why: "the credential that was shown is not valid"
        )
    }
}

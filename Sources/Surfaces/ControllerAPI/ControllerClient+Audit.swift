import Deployments

extension ControllerClient {
    /// Entries of the audit, oldest first.
    package func audit(_ filter: AuditFilter) async throws(ControllerClientError) -> [AuditStatus] {
        try await self.get(APIRoute.audit(filter))
    }

    /// Checks the next part of the audit's chain.
    package func checkAudit(
        after place: String?,
        expecting expected: String?
    ) async throws(ControllerClientError) -> AuditCheckStatus {
        try await self.exchange(
            "GET",
            APIRoute.auditCheck(after: place, expecting: expected),
            body: nil,
            timeout: .minutes(1)
        )
    }

    package func auditHead() async throws(ControllerClientError) -> AuditHeadStatus {
        try await self.get(APIRoute.auditHead)
    }

    /// The freezes of operators that stand.
    package func freezes() async throws(ControllerClientError) -> [FreezeStatus] {
        try await self.get(APIRoute.freezes)
    }

    /// - Returns: The answer, also when the controller refused.
    package func freeze(_ request: FreezeRequest) async throws(ControllerClientError) -> FreezeAnswer {
        try await self.post(request, to: APIRoute.freezes, "the freeze")
    }

    package func unfreeze(
        _ id: Int64,
        by name: String,
        why: String
    ) async throws(ControllerClientError) -> FreezeAnswer {
        try await self.exchange("DELETE", APIRoute.freeze(id, by: name, why: why), body: nil)
    }
}

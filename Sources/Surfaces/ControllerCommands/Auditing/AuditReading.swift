package import ControllerAPI

/// Where the audit is read: the controller's, or a file.
package struct AuditReading: Sendable {
    package var entries: @Sendable (AuditFilter) async throws -> [AuditStatus]
    /// Checks the part of the chain after a place, comparing with one that was noted.
    package var check: @Sendable (_ after: String?, _ expected: String?) async throws -> AuditCheckStatus

    package init(
        entries: @escaping @Sendable (AuditFilter) async throws -> [AuditStatus],
        check: @escaping @Sendable (_ after: String?, _ expected: String?) async throws -> AuditCheckStatus
    ) {
        self.entries = entries
        self.check = check
    }

    init(_ client: ControllerClient) {
        self.init(
            entries: { try await client.audit($0) },
            check: { try await client.checkAudit(after: $0, expecting: $1) }
        )
    }
}

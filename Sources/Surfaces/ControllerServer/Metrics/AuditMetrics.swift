package import Audits

/// What became of the audit's entries, as metrics.
package enum AuditMetrics {
    package static func text(_ account: AuditTrail.Account) -> String {
        var out = MetricText()
        out.family("controller_audit_entries_total", .counter, "Entries of the audit written since the start.")
        out.sample("controller_audit_entries_total", Double(account.written))
        out.gauge(
            "controller_audit_unwritten",
            "Entries of the audit in memory that the disk did not take yet.",
            Double(account.unwritten)
        )
        out.family(
            "controller_audit_lost_total",
            .counter,
            "Entries of the audit lost since the start, as neither the disk nor memory took them."
        )
        out.sample("controller_audit_lost_total", Double(account.lost))
        out.gauge(
            "controller_audit_problem",
            "Whether the audit cannot be written: only what makes users safer is done meanwhile.",
            account.problem == nil ? 0 : 1
        )
        return out.text
    }
}

package import Audits
package import ControllerAPI
import Deployments
import Foundation

extension AuditStatus {
    package init(_ entry: AuditEntry) {
        self.init(
            number: entry.number,
            time: Date(Timestamp(milliseconds: entry.time)),
            written: entry.written.map { Date(Timestamp(milliseconds: $0)) },
            stage: entry.stage,
            request: entry.request,
            by: entry.name,
            way: entry.way,
            credential: entry.credential,
            address: entry.address,
            action: entry.action,
            deployment: entry.deployment,
            why: entry.why,
            parameters: AuditFields(text: entry.parameters).values,
            accepted: entry.accepted.map { $0 != 0 },
            changed: entry.changed.map { $0 != 0 },
            message: entry.message,
            before: entry.before.map { AuditFields(text: $0).values },
            after: entry.after.map { AuditFields(text: $0).values },
            previous: entry.previous,
            hash: entry.hash
        )
    }
}

extension AuditCheckStatus {
    package init(_ progress: AuditProgress) {
        self.init(
            count: progress.count,
            oldest: progress.oldest.map { Date($0) },
            newest: progress.newest.map { Date($0) },
            head: progress.head.description,
            front: progress.front?.description,
            isComplete: progress.isComplete,
            finding: progress.finding.map {
                Finding(kind: $0.kind.rawValue, number: $0.number, message: $0.message)
            }
        )
    }
}

extension AuditQuery {
    package init(_ filter: AuditFilter) {
        self.init(
            after: filter.after,
            limit: filter.limit,
            deployment: filter.deployment,
            by: filter.by,
            action: filter.action,
            since: filter.since.map { Timestamp(milliseconds: Int64(($0.timeIntervalSince1970 * 1000).rounded())) }
        )
    }
}

extension AuditCaller {
    package init(_ caller: Caller) {
        self.init(
            name: caller.name,
            way: caller.way.rawValue,
            credential: caller.credential,
            address: caller.address
        )
    }
}

extension DeploymentStatus {
    /// What an operator's command can change, in a few words each.
    var audited: [String: String] {
        var summary = ["phase": self.phase]
        summary["stable"] = self.stable.map(Self.words)
        summary["canary"] = self.canary.map(Self.words)
        summary["weight"] = self.canary?.weight.map { "\($0)" }
        summary["desired"] = self.desired?.short
        if !self.holds.isEmpty { summary["holds"] = self.holds.map(\.kind).joined(separator: ",") }
        summary["pin"] = self.pin.map { "\($0.revision.prefix(8))" }
        if !self.quarantined.isEmpty {
            summary["quarantined"] = self.quarantined.map { "\($0.revision.prefix(8))" }.sorted().joined(separator: ",")
        }
        return summary
    }

    private static func words(_ revision: RevisionStatus) -> String {
        "\(revision.modelName) \(revision.modelVersion) \(revision.revision.prefix(8)) \(revision.commit.short)"
    }
}

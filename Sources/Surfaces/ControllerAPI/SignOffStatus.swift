package import Foundation

/// Who must say yes at one place of a rollout, besides its steps, and who has.
package struct SignOffStatus: Codable, Hashable, Sendable {
    /// `beforeRollout`, `beforePromotion` or `afterPromotion`, as the manifest calls it.
    package var place: String
    /// When it was asked for.
    package var since: Date
    /// `magika 4.0`
    package var model: String
    package var needsApproval: Bool
    /// Who said `controller promote`.
    package var approvedBy: String?
    package var gates: [GateStatus]

    /// All that ``place`` may be.
    package static let places = ["beforeRollout", "beforePromotion", "afterPromotion"]

    package init(
        place: String,
        since: Date,
        model: String,
        needsApproval: Bool,
        approvedBy: String? = nil,
        gates: [GateStatus] = []
    ) {
        self.place = place
        self.since = since
        self.model = model
        self.needsApproval = needsApproval
        self.approvedBy = approvedBy
        self.gates = gates
    }
}

import Crypto
import Deployments
import FoundationEssentials
import Reconciliation

/// A notice as CloudEvents 1.0 has it, in JSON (structured mode).
///
/// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
struct CloudEvent: Encodable {
    var specversion = "1.0"
    var id: String
    var source: String
    var type: String
    /// `NAMESPACE/NAME`
    var subject: String
    var time: String
    var datacontenttype = "application/json"
    /// An extension: how many events before it this receiver did not get.
    var leftout: Int?
    var data: Payload

    struct Payload: Encodable {
        var event: String
        var severity: String
        var deployment: String
        var labels: [String: String]
        var message: String
        var by: String?
        var revision: String?
        var model: Notice.Model?
        var commit: Commit?
        var drift: Drift?
    }

    struct Commit: Encodable {
        var repository: String
        var branch: String
        var commit: String
        var path: String
        var subject: String
        var author: String
    }

    /// Why a model should be trained again.
    struct Drift: Encodable {
        var gate: String
        /// The population stability index.
        var psi: Double?
        var tolerance: Double
        var evidence: String
        var window: Window
    }

    struct Window: Encodable {
        var start: String
        var end: String
        var canaryAnswers: Double
        var stableAnswers: Double
    }

    init(_ notice: Notice, source: String, leftOut: Int = 0) {
        self.id = Self.id(of: notice)
        self.source = source
        self.type = Self.type(of: notice.kind)
        self.subject = notice.deployment
        self.time = notice.time.rfc3339
        self.leftout = leftOut > 0 ? leftOut : nil
        self.data = Payload(
            event: notice.kind,
            severity: notice.severity.rawValue,
            deployment: notice.deployment,
            labels: notice.labels,
            message: notice.message,
            by: notice.by,
            revision: notice.revision,
            model: notice.model,
            commit: notice.commit.map {
                Commit(
                    repository: $0.repository,
                    branch: $0.branch,
                    commit: $0.commit,
                    path: $0.path,
                    subject: $0.subject,
                    author: $0.author
                )
            },
            drift: notice.drift.map { drift in
                Drift(
                    gate: drift.gate,
                    psi: drift.index,
                    tolerance: drift.tolerance,
                    evidence: drift.evidence,
                    window: Window(
                        start: drift.since.rfc3339,
                        end: notice.time.rfc3339,
                        canaryAnswers: drift.canaryAnswers,
                        stableAnswers: drift.stableAnswers
                    )
                )
            }
        )
    }

    /// The same for the same notice, and without what ids may not hold elsewhere.
    static func id(of notice: Notice) -> String {
        let digest = SHA256.hash(data: Array(notice.id.utf8)).prefix(16)
        return "msg_" + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func type(of kind: String) -> String {
        switch kind {
        case Notice.retrain: "dev.controller.model.retrain"
        case Notice.test: "dev.controller.notification.test"
        default: "dev.controller.rollout.\(kind)"
        }
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }
}

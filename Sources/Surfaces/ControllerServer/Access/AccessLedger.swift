import ControllerAPI
package import Logging
import Synchronization

/// Counts what was refused, and tells of it in the log now and then: never with what was shown as a credential.
package final class AccessLedger: Sendable {
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// No credential was shown.
        case missing
        /// It is none, was revoked, has ended, or is for somebody else.
        case invalid
        /// Too many wrong ones came from one address.
        case guessing
        /// Known, and without the right.
        case forbidden
        /// Known, and too fast.
        case rate
        /// The identity provider could not be asked.
        case unavailable
    }

    private let counts = Mutex<[Reason: Int]>([:])
    private let speaking = RateLimiter(rate: 0.2, burst: 20)
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    package var refused: [Reason: Int] { self.counts.withLock { $0 } }

    /// As Prometheus reads them; each reason begins with 0.
    package var metrics: String {
        let counts = self.refused
        var out = MetricText()
        let name = "controller_api_refused_total"
        out.family(name, .counter, "Requests over the network that were refused, by reason.")
        for reason in Reason.allCases { out.sample(name, ["reason": reason.rawValue], Double(counts[reason] ?? 0)) }
        return out.text
    }

    func note(_ reason: Reason, caller: Caller?, address: String?, request: String) {
        self.counts.withLock { $0[reason, default: 0] += 1 }
        guard self.speaking.take(address ?? "", at: .now) == nil else { return }
        self.logger.warning(
            "request refused",
            metadata: [
                "access.reason": "\(reason.rawValue)", "access.caller": "\(caller?.attribution ?? "unknown")",
                "access.address": "\(address ?? "socket")", "http.request": "\(request.prefix(200))",
            ]
        )
    }
}

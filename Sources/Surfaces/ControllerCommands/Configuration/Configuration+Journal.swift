import Deployments
import Manifests

extension Configuration {
    /// How long recorded decisions are kept.
    package struct Journal: Hashable, Sendable {
        /// After that they may go, and with them what can be replayed.
        package var keep: Duration
        /// Bytes of all decisions together; the oldest go first.
        package var maxSize: Int64

        init(decoding members: Members?) {
            self.keep = members?["keep"]?.duration(in: .hours(1) ... .hours(24 * 3650)) ?? .hours(24 * 30)
            self.maxSize = members?["maxSize"]?.bytes(in: (1 << 20)...(1 << 50)) ?? 1 << 30
        }
    }
}

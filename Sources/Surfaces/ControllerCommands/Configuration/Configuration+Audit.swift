import Deployments
import Manifests

extension Configuration {
    /// How long it is kept who did what.
    package struct Audit: Hashable, Sendable {
        package var keep: Duration
        /// Bytes of the file; the oldest entries go first.
        package var maxSize: Int64

        init(decoding members: Members?) {
            self.keep = members?["keep"]?.duration(in: .hours(24) ... .hours(24 * 3650)) ?? .hours(24 * 1095)
            self.maxSize = members?["maxSize"]?.bytes(in: (1 << 20)...(1 << 50)) ?? 1 << 30
        }
    }
}

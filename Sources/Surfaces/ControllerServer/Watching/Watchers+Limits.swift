import Foundation
import Glibc

extension Watchers {
    struct Limits: Sendable {
        /// So that there is always room for a command beside them: see ``APIServer/connections``.
        var watchers = 1024
        /// Between two looks at the fleet, at the least.
        var pause = Duration.milliseconds(250)
        /// Between two signs of life on a stream where nothing happens.
        var beat = Duration.seconds(15)
        /// Who takes nothing for so long is cut off.
        var patience = Duration.seconds(30)
        /// The same when the controller ends.
        var lastPatience = Duration.seconds(2)
        /// Seconds after which a stream over the network ends.
        var session: TimeInterval = 300
        /// About so much is written at once, and at most held for one who does not read.
        var bytes = 64 << 10

        /// At most half of the descriptors that this process may open: the journal, git and replicas need theirs.
        static var ofThisProcess: Limits {
            var (limits, descriptors) = (Limits(), rlimit())
            if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0 {
                limits.watchers = Int(min(UInt64(limits.watchers), UInt64(descriptors.rlim_cur) / 2))
            }
            return limits
        }
    }
}

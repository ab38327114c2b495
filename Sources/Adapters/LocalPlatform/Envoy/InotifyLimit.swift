import Deployments
import Foundation
import Reconciliation

/// Envoy uses one inotify instance per file that it follows, and aborts when it gets none.
struct InotifyLimit: Hashable, Sendable {
    /// `fs.inotify.max_user_instances`, of which Envoy's user has so many for all of its processes.
    var instances: Int

    /// For the three files that are not of a cluster, and for what else the same user runs.
    static let reserve = 16

    /// - Returns: Nothing where the kernel does not tell.
    static func current() -> InotifyLimit? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/sys/fs/inotify/max_user_instances"),
            let instances = Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        else { return nil }
        return InotifyLimit(instances: instances)
    }

    /// - Throws: `limitReached` when Envoy would abort with so many clusters.
    func check(clusters: Int) throws(PlatformError) {
        guard clusters + Self.reserve > self.instances else { return }
        let needed = clusters + Self.reserve
        throw PlatformError(
            code: .limitReached,
            message: """
                \(clusters) revisions need \(needed) inotify instances and the kernel permits \(self.instances): \
                run `sysctl fs.inotify.max_user_instances=\(max(1024, 2 * needed))`
                """,
            recovery: .wait(.seconds(30))
        )
    }
}

import Deployments
import Foundation
import Reconciliation

/// Envoy uses one inotify instance per file that it follows, and aborts when it gets none.
package struct InotifyLimit: Hashable, Sendable {
    /// `fs.inotify.max_user_instances`, of which Envoy's user has so many for all of its processes.
    package var instances: Int

    /// For the three files that are not of a cluster, and for what else the same user runs.
    package static let reserve = 16

    /// - Returns: Nothing where the kernel does not tell.
    package static func current() -> InotifyLimit? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/sys/fs/inotify/max_user_instances"),
            let instances = Int(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        else { return nil }
        return InotifyLimit(instances: instances)
    }

    /// The table as far as Envoy can follow it: revisions that it does not know yet and has no room for are left out,
    /// so that they delay no change of weights among those that serve.
    ///
    /// - Parameters:
    ///   - table: What is wanted.
    ///   - known: The names of the clusters that Envoy has.
    /// - Returns: Also the `limitReached` error to report when something was left out.
    func admit(_ table: RoutingTable, known: Set<String>) -> (RoutingTable, PlatformError?) {
        var room = max(0, self.instances - Self.reserve - known.count)
        var admitted = table
        var refused = 0
        for (deployment, entry) in table.deployments.sorted(by: { $0.key < $1.key }) {
            for revision in entry.backends.keys.sorted() {
                if known.contains(EnvoyCluster.name(deployment, revision)) { continue }
                if room > 0 {
                    room -= 1
                } else {
                    refused += 1
                    let traffic = admitted.deployments[deployment]?.traffic ?? Traffic()
                    admitted.deployments[deployment]?.backends[revision] = nil
                    admitted.deployments[deployment]?.traffic = traffic.filter { $0 != revision }
                }
            }
        }
        guard refused > 0 else { return (table, nil) }
        let needed = known.count + refused + Self.reserve
        let error = PlatformError(
            code: .limitReached,
            message: """
                \(refused) new revisions can't be routed to: they need \(needed) inotify instances and the kernel \
                permits \(self.instances): run `sysctl fs.inotify.max_user_instances=\(max(1024, 2 * needed))`
                """,
            recovery: .wait(.seconds(30))
        )
        return (admitted, error)
    }
}

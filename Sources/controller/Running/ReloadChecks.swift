import ControllerCommands
import Deployments
import Foundation
import Glibc
import LocalPlatform
import Manifests

/// What would keep a configuration from being started with, as far as it can be known before.
struct ReloadChecks {
    let current: Configuration
    let next: Configuration
    let path: String

    /// - Returns: A line for each problem, with what to do; nothing when all is well.
    func problems() -> [String] {
        var problems: [String] = []
        if self.next.stateDirectory != self.current.stateDirectory {
            problems.append(
                "\(self.path): `stateDirectory` cannot change while the controller runs: stop it, end its Envoy and "
                    + "replicas, and start it"
            )
        }
        problems += self.next.unreadableKeyFiles(path: self.path).map(\.description)
        problems += self.next.missingPrograms(in: ProcessInfo.processInfo.environment["PATH"] ?? "")
        do {
            _ = try ShippedRuntimes.read(self.next.runtimes)
        } catch {
            problems.append("\(error)")
        }
        return problems + self.takenAddresses()
    }

    /// Of the addresses that are new.
    private func takenAddresses() -> [String] {
        let before = [self.current.webhooks?.listen, self.current.metrics?.listen, self.current.api?.listen].compactMap(
            \.self
        )
        let after = [
            ("webhooks.listen", self.next.webhooks?.listen), ("metrics.listen", self.next.metrics?.listen),
            ("api.listen", self.next.api?.listen),
            ("local.listen", self.next.local.listen == self.current.local.listen ? nil : self.next.local.listen),
        ]
        return after.compactMap { setting, address in
            guard let address, !before.contains(address), address.host.wholeMatch(of: /[0-9.]+/) != nil,
                !PortPool.isFree(address.port, host: address.host)
            else { return nil }
            return "\(self.path): `\(setting)` \(address) cannot be listened on: free it, or choose another"
        }
    }
}

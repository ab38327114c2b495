package import Deployments
import Foundation

extension Capacity {
    /// The memory of this machine and its NVIDIA devices. Cores are not counted: replicas share them.
    package static func ofThisMachine() -> Capacity {
        // A folder that cannot be listed has no device that a replica could open.
        let devices = (try? FileManager.default.contentsOfDirectory(atPath: "/dev")) ?? []
        return Capacity(
            memory: Int64(clamping: ProcessInfo.processInfo.physicalMemory),
            gpu: devices.count { $0.hasPrefix("nvidia") && Int($0.dropFirst("nvidia".count)) != nil }
        )
    }
}

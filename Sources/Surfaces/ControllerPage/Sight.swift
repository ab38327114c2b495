package import ControllerAPI
import ControllerWords
import Crypto
import Foundation

/// What somebody saw of a deployment when they decided: a command that is sent later must not hit something else.
package enum Sight {
    /// Phase, revisions and step as a short digest.
    package static func of(_ status: DeploymentStatus) -> String {
        let step = status.currentStep.map { "\($0.number)" } ?? "-"
        let parts = [status.phase, status.canary?.revision ?? "-", status.stable?.revision ?? "-", step]
        let hash = SHA256.hash(data: Data(parts.joined(separator: "\n").utf8))
        return hash.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

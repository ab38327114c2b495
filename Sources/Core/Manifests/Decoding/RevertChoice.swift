package import Deployments

/// A ``RevertMode``, or none, as people write it.
package enum RevertChoice: String, CaseIterable {
    case none, branch, pullRequest, push

    package var mode: RevertMode? { RevertMode(rawValue: self.rawValue) }
}

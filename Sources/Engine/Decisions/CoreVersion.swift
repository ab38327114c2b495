/// Which core decided. Recorded with every decision, so that a replay by another core can say why it differs.
package enum CoreVersion {
    /// To be raised by every change of what the core decides, or of how a rollout, a situation or a plan is written.
    package static let current = "13"
}

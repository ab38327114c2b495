import Deployments
import Logging

/// The first table of routes must hold every deployment that the router may serve already: it takes the others' routes
/// away.
extension Fleet {
    /// Whether there is one already, or all that it must hold is known.
    mutating func isFleetKnown() -> Bool {
        if self.routing.isBuilt { return true }
        guard self.unreadSources.isEmpty, self.tracker.ids.allSatisfy({ self.members[$0] != nil }) else { return false }
        let strangers = self.findStrangers()
        if strangers != self.strangers, !strangers.isEmpty {
            self.logger.warning(
                """
                routes unchanged: what is served is unknown to the journal, and git could not be read to say what it \
                is; mend the repository or the manifest that could not be read, or stop watching it
                """,
                metadata: ["deployment.name": "\(strangers.map(\.description).joined(separator: ", "))"]
            )
        }
        self.strangers = strangers
        return strangers.isEmpty
    }

    /// Deployments that the router serves and of which the journal knows nothing, as it was lost, while git may still
    /// hold their manifests: it was not read yet, or they are broken. All routes stay as they are until that is known.
    func findStrangers() -> [DeploymentID] {
        guard let states = self.router.last?.states else { return [] }
        return states.filter { id, state in
            !state.traffic.isEmpty && self.members[id] == nil && self.tracker.mayHold(id)
        }.keys.sorted()
    }
}

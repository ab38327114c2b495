import Deployments

extension ReferenceResolution {
    /// Finds what is wrong only between deployments.
    func checkTogether(_ drafts: [DeploymentDraft]) {
        self.checkNames(drafts)
        self.checkRoutes(drafts.filter { !$0.log.hasErrors })
        self.checkCycles(drafts)
    }

    private func checkNames(_ drafts: [DeploymentDraft]) {
        for same in Dictionary(grouping: drafts, by: \.id).values where same.count > 1 {
            for draft in same.dropFirst() {
                let message = "the deployment \(draft.id.description.inBackticks) is declared twice"
                draft.document.error("\(message), also at \(same[0].document.place): rename or remove one")
            }
        }
    }

    /// Nobody could say which of two equal routes a request belongs to.
    private func checkRoutes(_ drafts: [DeploymentDraft]) {
        var claims: [RouteKey: [DeploymentDraft]] = [:]
        for draft in drafts {
            for key in RouteKey.all(of: draft.route) { claims[key, default: []].append(draft) }
        }
        for (key, claimants) in claims where claimants.count > 1 {
            for draft in claimants {
                guard let other = claimants.first(where: { $0.id != draft.id }) else { continue }
                let host = key.host.map { "on \($0.inBackticks)" } ?? "on every host"
                let message =
                    "\(key.pathPrefix.inBackticks) \(host) is also the route of \(other.id) (\(other.document.place))"
                let place = draft.routeField ?? draft.document
                draft.log.add(
                    .error,
                    at: place.node.position,
                    field: "spec.route",
                    "\(message): give each another `pathPrefix` or other `hosts`"
                )
            }
        }
    }

    /// A circle of dependencies would wait for itself for ever.
    private func checkCycles(_ drafts: [DeploymentDraft]) {
        var needs: [DeploymentID: Set<DeploymentID>] = [:]
        for draft in drafts {
            let targets = draft.dependsOn.compactMap { Self.target(of: $0, in: draft.id.namespace) }
            needs[draft.id, default: []].formUnion(targets.filter { $0 != draft.id })
        }
        for draft in drafts {
            for reference in draft.dependsOn {
                guard let target = Self.target(of: reference, in: draft.id.namespace), target != draft.id,
                    Self.reaches(draft.id, from: target, through: needs)
                else { continue }
                let name = target.description.inBackticks
                reference.field.error(
                    "\(name) depends on this deployment in turn: both would wait for ever; remove one"
                )
            }
        }
    }

    private static func reaches(
        _ goal: DeploymentID,
        from start: DeploymentID,
        through edges: [DeploymentID: Set<DeploymentID>]
    ) -> Bool {
        var open = [start]
        var seen: Set<DeploymentID> = []
        while let next = open.popLast() {
            if next == goal { return true }
            if seen.insert(next).inserted { open += edges[next] ?? [] }
        }
        return false
    }
}

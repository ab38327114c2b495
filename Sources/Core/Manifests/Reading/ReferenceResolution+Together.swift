import Deployments

extension ReferenceResolution {
    /// Finds what is wrong only between deployments.
    static func checkTogether(_ drafts: inout [DecodedDeployment]) {
        Self.checkNames(&drafts)
        Self.checkRoutes(&drafts)
        Self.checkCycles(&drafts)
    }

    private static func checkNames(_ drafts: inout [DecodedDeployment]) {
        var first: [DeploymentID: Int] = [:]
        first.reserveCapacity(drafts.count)
        for index in drafts.indices {
            guard let other = first[drafts[index].id] else {
                first[drafts[index].id] = index
                continue
            }
            let message = "the deployment \(drafts[index].id.description.inBackticks) is declared twice"
            let place = drafts[other].place
            drafts[index].error(at: drafts[index].document, "\(message), also at \(place): rename or remove one")
        }
    }

    /// Nobody could say which of two equal routes a request belongs to.
    private static func checkRoutes(_ drafts: inout [DecodedDeployment]) {
        var claimed: Set<RouteKey> = []
        claimed.reserveCapacity(drafts.count)
        var disputed: Set<RouteKey> = []
        let claimants = drafts.indices.filter { !drafts[$0].hasErrors }
        for index in claimants {
            for key in RouteKey.all(of: drafts[index].route) where !claimed.insert(key).inserted {
                disputed.insert(key)
            }
        }
        guard !disputed.isEmpty else { return }
        var claims: [RouteKey: [Int]] = [:]
        for index in claimants {
            for key in RouteKey.all(of: drafts[index].route) where disputed.contains(key) {
                claims[key, default: []].append(index)
            }
        }
        for index in claimants {
            for key in RouteKey.all(of: drafts[index].route) {
                let other = claims[key]?.first { drafts[$0].id != drafts[index].id }
                if let other { Self.refuse(key, of: &drafts[index], for: drafts[other]) }
            }
        }
    }

    private static func refuse(_ key: RouteKey, of draft: inout DecodedDeployment, for other: DecodedDeployment) {
        let host = key.host.map { "on \($0.inBackticks)" } ?? "on every host"
        let message = "\(key.pathPrefix.inBackticks) \(host) is also the route of \(other.id) (\(other.place))"
        let log = draft.log
        log.add(
            .error,
            at: (draft.routeSite ?? draft.document).position,
            field: "spec.route",
            "\(message): give each another `pathPrefix` or other `hosts`"
        )
        draft.keep(log)
    }

    /// A circle of dependencies would wait for itself for ever.
    private static func checkCycles(_ drafts: inout [DecodedDeployment]) {
        let depending = drafts.indices.filter { !drafts[$0].dependsOn.isEmpty }
        var needs: [DeploymentID: Set<DeploymentID>] = [:]
        for index in depending {
            let id = drafts[index].id
            let targets = drafts[index].dependsOn.compactMap { Self.target(of: $0, in: id.namespace) }
            needs[id, default: []].formUnion(targets.filter { $0 != id })
        }
        for index in depending {
            let id = drafts[index].id
            for reference in drafts[index].dependsOn {
                guard let target = Self.target(of: reference, in: id.namespace), target != id,
                    Self.reaches(id, from: target, through: needs)
                else { continue }
                let name = target.description.inBackticks
                drafts[index].error(
                    at: reference.site,
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

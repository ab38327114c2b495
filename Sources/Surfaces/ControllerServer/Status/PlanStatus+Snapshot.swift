import ControllerAPI
import Deployments
import Foundation
import Planning
import Reconciliation
import Rollouts

extension PlanStatus {
    /// The plan that the loop would make of what was last seen: the planner is a function of that.
    init(_ snapshot: DeploymentSnapshot, at now: Timestamp) {
        let (rollout, observation) = (snapshot.rollout, snapshot.observation)
        let plan = Planner(for: rollout, observed: observation, now: now).plan()
        let target = rollout.target
        let seen = observation.replicas.last ?? []
        let router = observation.router.last
        let known = Set(target.replicas.keys).union(target.traffic.revisions).union(seen.map(\.id.revision))
            .union(router?.traffic.revisions ?? [])
        self.init(
            deployment: rollout.id.description,
            time: Date(now),
            phase: rollout.phaseName,
            revisions: known.sorted().map { revision in
                let own = seen.filter { $0.id.revision == revision }
                return PlannedRevision(
                    revision: revision.digest,
                    model: rollout.spec(of: revision).map { "\($0.model.name) \($0.model.version)" } ?? "",
                    wantedReplicas: target.replicas[revision] ?? 0,
                    readyReplicas: own.count { $0.state == .ready },
                    replicas: own.count,
                    wantedWeight: target.traffic[revision].percent,
                    weight: router.map { $0.traffic[revision].percent }
                )
            },
            effects: plan.effects.map { PlannedEffect($0) },
            waitingFor: plan.waitingFor.map(\.description)
        )
    }
}

extension PlannedEffect {
    fileprivate init(_ effect: Effect) {
        switch effect {
        case .route(let traffic):
            self.init(.route, what: traffic.isEmpty ? "the router sends nothing to it" : "the router serves \(traffic)")
        case .fetch(let revision): self.init(.fetch, revision.digest, what: "the model of \(revision) is fetched")
        case .start(let id): self.init(.start, id.description, what: "\(id) starts")
        case .undrain(let id): self.init(.undrain, id.description, what: "\(id) gets requests again")
        case .drain(let id): self.init(.drain, id.description, what: "\(id) gets no new requests")
        case .stop(let id): self.init(.stop, id.description, what: "\(id) stops")
        }
    }
}

import ControllerAPI
import Deployments
import Reconciliation
import Rollouts
import Testing

@testable import ControllerServer

@Suite("Which deployments of a snapshot are listed")
struct PageQueryTests {
    private static func id(_ number: Int) -> DeploymentID { DeploymentID(namespace: "team", name: "m\(number)") }

    /// Some of each phase and label, in the engine's form: no place of the list is known.
    private static func view() -> FleetView {
        let now = Timestamp(milliseconds: 1_000_000)
        var fleet = FleetSnapshot(time: now)
        for number in 0..<300 {
            var rollout = Rollout(id: Self.id(number), at: now)
            let phases: [Rollout.Phase] = [.settled, .stepping(step: 0, servedSince: nil), .baking, .removing]
            rollout.phase = phases[number % 4]
            var spec = DeploymentSpec(
                id: rollout.id,
                revision: Revision(digest: "\(number)"),
                origin: CommitReference(repository: "models", branch: "main", commit: "c"),
                model: Model(name: "m", version: "1", format: "onnx", uri: "file:/m"),
                runtime: ServingRuntime(name: "onnx", command: ["serve"])
            )
            spec.labels = ["tier": number % 3 == 0 ? "gold" : "tin", "odd": "\(number % 2)"]
            if number % 5 == 0 { rollout.stable = spec } else { rollout.desired = spec }
            var observation = Observation()
            if number % 7 != 0 {
                observation.replicas = .known([], at: now)
                observation.router = .known(RouterState(), at: now)
            }
            fleet.deployments[rollout.id] = DeploymentSnapshot(
                member: Member(rollout: rollout),
                observation: observation
            )
        }
        return FleetView(fleet)
    }

    private static var queries: [PageQuery] {
        var queries: [PageQuery] = []
        for phase in [nil, "pending", "stepping", "removing", "preparing"] {
            for health in [nil, DeploymentStatus.Health.unknown, .degraded, .progressing] {
                for labels in [[], ["tier"], ["tier", "odd"], ["none"]] {
                    var query = PageQuery()
                    query.limit = 20
                    (query.phase, query.health) = (phase, health)
                    query.labels = labels.map { PageQuery.Label(name: $0, value: $0 == "tier" ? "gold" : "1") }
                    queries.append(query)
                }
            }
        }
        return queries
    }

    @Test
    func `listed are those whose short form says what is asked for, and all of them page by page`() async {
        let view = Self.view()
        let all = view.names.compactMap { view.summary($0) }
        #expect(all.count == 300)
        #expect(view.names == view.names.sorted())
        var lengths: Set<Int> = []
        for query in Self.queries {
            var (query, listed): (PageQuery, [DeploymentSummary]) = (query, [])
            while true {
                let page = await query.page(of: view, .everything)
                listed += page.deployments
                guard let next = page.next else { break }
                query.after = DeploymentID(next)
            }
            let expected = all.filter { summary in
                (query.phase == nil || summary.phase == query.phase)
                    && (query.health == nil || summary.health == query.health)
                    && query.labels.allSatisfy { summary.labels?[$0.name] == $0.value }
            }
            #expect(listed == expected, "\(query.key)")
            lengths.insert(expected.count)
        }
        #expect(lengths.count > 10, "queries that tell deployments apart")
    }
}

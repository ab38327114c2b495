import Analysis
import ControllerAPI
import Deployments
package import Reconciliation
import Rollouts

/// What the controller knows, as metrics. docs/reference/metrics.md describes each; alert rules and dashboards depend
/// on the names.
package struct FleetMetrics {
    private let fleet: FleetSnapshot
    private let deployments: [(id: DeploymentID, snapshot: DeploymentSnapshot)]
    private var out = MetricText()

    package static func text(of fleet: FleetSnapshot) -> String {
        var metrics = FleetMetrics(fleet)
        metrics.writeController()
        metrics.writeRepositories()
        metrics.writeDeployments()
        metrics.writeHolds()
        metrics.writeReplicas()
        metrics.writeGates()
        metrics.out.write(fleet.receivers)
        return metrics.out.text
    }

    private init(_ fleet: FleetSnapshot) {
        self.fleet = fleet
        self.deployments = fleet.deployments.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: - The controller

    private mutating func writeController() {
        self.out.gauge(
            "controller_snapshot_timestamp_seconds",
            "When the reconcile loop last finished something; it looks at the platform at every poll.",
            Self.seconds(self.fleet.time)
        )
        for (name, help, problem) in [
            (
                "journal", "Whether the journal cannot be written: only safety acts meanwhile.",
                self.fleet.journalProblem
            ),
            ("platform", "Whether the last look at the replicas failed.", self.fleet.platformProblem),
            ("router", "Whether the last look at the router failed.", self.fleet.routerProblem),
        ] {
            self.out.gauge("controller_\(name)_problem", help, problem == nil ? 0 : 1)
        }
        self.out.gauge(
            "controller_unknown_routes",
            "Deployments that are served and that a lost journal and git say nothing of.",
            Double(self.fleet.strangers.count)
        )
        self.out.gauge(
            "controller_freezes",
            "Freezes of operators that stand, beside the windows that git declares.",
            Double(self.fleet.freezes.count)
        )
        self.writeActivity()
    }

    private static let outcomes: [Transition.Kind] = [.rolloutStarted, .promoted, .rolledBack, .superseded]

    private mutating func writeActivity() {
        let activity = self.fleet.activity
        let name = "controller_transitions_total"
        self.out.family(name, .counter, "What happened to deployments since the controller started, by kind of event.")
        let namespaces = Set(activity.transitions.keys).union(self.deployments.lazy.map(\.id.namespace))
        for namespace in namespaces.sorted() {
            // Prometheus sees no increase where a counter begins with its first event.
            let none = Dictionary(uniqueKeysWithValues: Self.outcomes.map { ($0, 0) })
            let counts = none.merging(activity.transitions[namespace] ?? [:]) { $1 }
            for (kind, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                self.out.sample(name, ["namespace": namespace, "kind": kind.rawValue], count)
            }
        }
        let duration = "controller_loop_duration_seconds"
        self.out.family(duration, .histogram, "How long the reconcile loop took for one event or command.")
        var sum = 0
        for (bound, count) in zip(FleetActivity.bounds, activity.turns) {
            sum += count
            self.out.sample("\(duration)_bucket", ["le": "\(bound)"], sum)
        }
        let count = activity.turns.reduce(0, +)
        self.out.sample("\(duration)_bucket", ["le": "+Inf"], count)
        self.out.sample("\(duration)_sum", activity.busy / .seconds(1))
        self.out.sample("\(duration)_count", Double(count))
    }

    // MARK: - Git

    private mutating func writeRepositories() {
        let polled = "controller_git_last_poll_timestamp_seconds"
        self.out.family(
            polled,
            .gauge,
            "When the repository was last read without an error; 0 if never since the start."
        )
        for source in self.fleet.sources {
            self.out.sample(polled, Self.labels(source), source.lastPolled.map(Self.seconds) ?? 0)
        }
        let problem = "controller_git_problem"
        self.out.family(problem, .gauge, "Whether the repository could not be read at the last try.")
        for source in self.fleet.sources { self.out.sample(problem, Self.labels(source), source.problem != nil) }
        let diagnostics = "controller_git_diagnostics"
        self.out.family(diagnostics, .gauge, "Problems with the manifests of the newest commit.")
        for source in self.fleet.sources { self.out.sample(diagnostics, Self.labels(source), source.diagnostics.count) }
        let undelivered = "controller_git_undelivered"
        self.out.family(undelivered, .gauge, "Notes, statuses and reverts that the server did not take yet.")
        for source in self.fleet.sources { self.out.sample(undelivered, Self.labels(source), source.undelivered.count) }
    }

    private static func labels(_ source: SourceState) -> KeyValuePairs<String, String> {
        ["repository": source.repository]
    }

    // MARK: - Deployments

    private mutating func writeDeployments() {
        let info = "controller_deployment_info"
        self.out.family(info, .gauge, "1 for each deployment, with its phase, health and what is stable.")
        for (id, snapshot) in self.deployments {
            let rollout = snapshot.rollout
            self.out.sample(
                info,
                [
                    "namespace": id.namespace, "name": id.name, "phase": rollout.phaseName,
                    "health": DeploymentStatus.health(of: snapshot, at: self.fleet.time).rawValue,
                    "model": rollout.stable?.model.name ?? "", "version": rollout.stable?.model.version ?? "",
                    "revision": rollout.stable?.revision.short ?? "",
                ],
                1
            )
        }
        self.writeEach("controller_deployment_phase_timestamp_seconds", "When the phase began.") {
            Self.seconds($0.rollout.since)
        }
        self.writeEach("controller_deployment_synced", "Whether what git names serves, alone.") {
            $0.rollout.desired?.revision == $0.rollout.stable?.revision && !$0.rollout.isInFlight ? 1 : 0
        }
        self.writeEach(
            "controller_deployment_quarantined_revisions",
            "Revisions that were taken back and do not return."
        ) {
            Double($0.rollout.quarantine.count)
        }
        self.writeEach(
            "controller_deployment_manifest_problems",
            "Problems with the newest manifest; the last good one stands."
        ) {
            Double($0.notes.count)
        }
    }

    /// A family with one sample for each deployment.
    private mutating func writeEach(_ name: String, _ help: String, _ value: (DeploymentSnapshot) -> Double) {
        self.out.family(name, .gauge, help)
        for (id, snapshot) in self.deployments {
            self.out.sample(name, ["namespace": id.namespace, "name": id.name], value(snapshot))
        }
    }

    private mutating func writeHolds() {
        let name = "controller_deployment_hold"
        self.out.family(name, .gauge, "1 for each kind of hold: what keeps a rollout from going on.")
        for (id, snapshot) in self.deployments {
            var kinds: Set<String> = []
            for hold in snapshot.rollout.holds {
                let kind = HoldStatus(hold, of: snapshot.rollout).kind
                guard kinds.insert(kind).inserted else { continue }
                self.out.sample(name, ["namespace": id.namespace, "name": id.name, "kind": kind], 1)
            }
        }
    }

    // MARK: - Replicas and traffic

    private mutating func writeReplicas() {
        let ready = "controller_deployment_replicas_ready"
        self.out.family(ready, .gauge, "Replicas that take requests, by what their revision is to the deployment.")
        for (id, snapshot) in self.deployments {
            let replicas = snapshot.observation.replicas.last ?? []
            for (role, spec) in snapshot.rollout.roles {
                let count = replicas.count { $0.id.revision == spec.revision && $0.state == .ready }
                self.out.sample(ready, Self.labels(id, role), count)
            }
        }
        let wanted = "controller_deployment_replicas_wanted"
        self.out.family(wanted, .gauge, "Replicas that there should be.")
        for (id, snapshot) in self.deployments {
            for (role, spec) in snapshot.rollout.roles {
                self.out.sample(wanted, Self.labels(id, role), snapshot.rollout.target.replicas[spec.revision] ?? 0)
            }
        }
        let traffic = "controller_deployment_traffic_ratio"
        self.out.family(traffic, .gauge, "Share of the requests that the router sends there.")
        for (id, snapshot) in self.deployments {
            guard let router = snapshot.observation.router.last else { continue }
            for (role, spec) in snapshot.rollout.roles {
                self.out.sample(traffic, Self.labels(id, role), Double(router.traffic[spec.revision].percent) / 100)
            }
        }
    }

    private static func labels(_ id: DeploymentID, _ role: String) -> KeyValuePairs<String, String> {
        ["namespace": id.namespace, "name": id.name, "role": role]
    }

    // MARK: - Gates

    private mutating func writeGates() {
        let outcome = "controller_gate_outcome"
        self.out.family(outcome, .gauge, "1 for the outcome of each gate of a rollout that is judged now.")
        for (id, snapshot) in self.deployments {
            for assessment in snapshot.assessments(at: self.fleet.time) {
                self.out.sample(
                    outcome,
                    [
                        "namespace": id.namespace, "name": id.name, "gate": assessment.gate.name,
                        "outcome": assessment.outcome.rawValue,
                    ],
                    1
                )
            }
        }
        self.writeEvidence("controller_gate_breach_evidence_ratio", "Evidence for a breach: 1 rolls back.") {
            $0.breachShare
        }
        self.writeEvidence("controller_gate_safe_evidence_ratio", "Evidence that the next weight is safe: 1 suffices.")
        {
            $0.safeShare
        }
    }

    private mutating func writeEvidence(_ name: String, _ help: String, _ value: (ComparisonEvidence) -> Double) {
        self.out.family(name, .gauge, help)
        for (id, snapshot) in self.deployments {
            for assessment in snapshot.assessments(at: self.fleet.time) {
                guard let comparison = assessment.comparison else { continue }
                let labels: KeyValuePairs = ["namespace": id.namespace, "name": id.name, "gate": assessment.gate.name]
                self.out.sample(name, labels, value(comparison))
            }
        }
    }

    private static func seconds(_ time: Timestamp) -> Double { Double(time.milliseconds) / 1000 }
}

extension Rollout {
    /// What has a part in it now.
    fileprivate var roles: [(role: String, spec: DeploymentSpec)] {
        [("stable", self.stable), ("canary", self.canary), ("previous", self.previous)].compactMap { role, spec in
            spec.map { (role, $0) }
        }
    }
}

import Deployments
import Rollouts
import Simulation

extension Script {
    /// What has happened to users of other controllers, and what their reports say went wrong there.
    static let incidents: [Script] = [
        Script(
            "abort-among-errors",
            "an operator aborts while the disk is full, the platform is out of sight and the canary fails to load",
            ticks: 120,
            canary: Self.with { $0.startTicks = nil },
            ends: 0,
            quarantined: [1]
        ) {
            $0.outages[.journalOutage] = 28...70
            $0.outages[.platformOutage] = 28...70
            $0.commands[32] = [Command(.abort, by: "sre", why: "wrong model")]
        },
        Script(
            "no-traffic-no-verdict",
            "no request arrives for two minutes after the canary got its weight: that is no success",
            ticks: 220,
            canary: Scenario.Behaviour(errors: 0.3),
            ends: 0,
            quarantined: [1]
        ) { $0.outages[.silence] = 21...150 },
        Script(
            "fix-of-one-that-never-starts",
            "a fix is merged while the broken revision is still waited for",
            ticks: 260,
            canary: Self.with { $0.startTicks = nil },
            ends: 2
        ) { $0.commits[40] = .spec(Scenario.spec(2, policy: Self.policy)) },
        Script(
            "no-route-leaks",
            "three canaries in a row, each in the middle of the one before, and a rollback: nothing of them is left",
            ticks: 200,
            ends: 0,
            quarantined: [3]
        ) {
            $0.commits[40] = .spec(Scenario.spec(2, policy: Self.policy))
            $0.commits[60] = .spec(Scenario.spec(3, policy: Self.policy))
            $0.commands[80] = [Command(.rollback(to: nil), by: "sre", why: "enough")]
        },
        Script(
            "readiness-lies",
            "the canary says that it is ready at once, flaps, and answers nothing but errors",
            ticks: 100,
            canary: Self.with {
                $0.startTicks = 0
                $0.flaps = 0.1
                $0.errors = 1
            },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "an-hour-to-load",
            "the canary's model takes an hour to load, and the deadline is a minute",
            ticks: 120,
            canary: Self.with { $0.startTicks = 3600 },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "crash-loop",
            "the canary's replicas crash again and again",
            ticks: 120,
            canary: Self.with { $0.crashes = 0.5 },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "wrong-digest",
            "the canary's artifact is not the one that its manifest names",
            ticks: 60,
            canary: Self.with { $0.artifact = .failed("expected sha256:1111, got sha256:2222") },
            ends: 0,
            quarantined: [1]
        ),
        Script(
            "shared-incident",
            "what both revisions need is down for a minute: nobody is rolled back for it, and nobody promoted",
            ticks: 420,
            ends: 1
        ) { $0.outages[.incident] = 30...90 },
        Script(
            "force-push",
            "the branch is rewritten to a history without the manifest, in mid-canary: nothing is removed",
            ticks: 260,
            ends: 1
        ) {
            let change: [DeploymentID: Scenario.Change] = [Scenario.id: .absent]
            $0.happenings.append(
                .init(45, .commit(Scenario.Commit(id: Scenario.commit(15), change, rewritesHistory: true)))
            )
        },
        Script(
            "deleted-folder",
            "a commit deletes the folder with every manifest: all of them serve on until somebody says that it is meant",
            ticks: 260,
            ends: 1
        ) { scenario in
            let others = [Scenario.id(1), Scenario.id(2)]
            for (index, id) in others.enumerated() {
                scenario.happenings.append(
                    .init(3 + index, .commit(.spec(Scenario.spec(6 + index, of: id, policy: Self.policy))))
                )
            }
            let gone = Dictionary(uniqueKeysWithValues: ([Scenario.id] + others).map { ($0, Scenario.Change.absent) })
            scenario.happenings.append(.init(45, .commit(Scenario.Commit(id: Scenario.commit(14), gone))))
        },
        Script(
            "lost-journal",
            "the controller is killed and its journal is lost in mid-canary: what serves goes on until somebody decides",
            ticks: 200,
            ends: 1
        ) {
            $0.commands[120] = [Command(.resume, by: "sre", why: "3.3 is good")]
            $0.happenings.append(.init(40, .fault(.journalLost, amount: 0)))
            $0.happenings.append(.init(40, .fault(.kill(.append, .after), amount: 3)))
        },
        Script(
            "the-router-forgets",
            "the router goes back to an older table while the canary is judged, and is told again",
            ticks: 320,
            ends: 1
        ) { $0.happenings.append(.init(70, .fault(.routerForgets, amount: 0))) },
    ]
}

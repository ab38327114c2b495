package import ControllerAPI
package import Foundation

/// One deployment at the moments of a rollout that people look at.
package enum Statuses {
    /// 2026-11-23 14:41:06 UTC
    package static let now = Date(timeIntervalSince1970: 1_795_444_866)

    package static func ago(_ seconds: Double) -> Date { self.now.addingTimeInterval(-seconds) }

    package static let oldCommit = CommitStatus(
        repository: "models",
        branch: "main",
        commit: "9c1d2e0b6f0f4f5f8f0b1a2c3d4e5f60718293a4",
        subject: "Serve Magika 3.3",
        author: "Grace Hopper"
    )
    package static let newCommit = CommitStatus(
        repository: "models",
        branch: "main",
        commit: "1eabc9a47d0d4a0c9e0f0a1b2c3d4e5f60718293",
        subject: "Retrain on November's files",
        author: "Ada Lovelace"
    )

    package static func replicas(_ prefix: String, port: Int, states: [String]) -> [ReplicaStatus] {
        states.enumerated().map { index, state in
            ReplicaStatus(
                name: "\(prefix)-\(index)",
                state: state,
                endpoint: state == "starting" ? nil : "127.0.0.1:\(port + index)",
                restarts: state == "backing-off" ? 3 : 0,
                lastFailure: state == "backing-off" ? "exit 1: out of memory" : nil
            )
        }
    }

    package static func stable(
        weight: Int?,
        commit: CommitStatus = Self.oldCommit,
        version: String = "3.3"
    ) -> RevisionStatus {
        RevisionStatus(
            revision: "a3f0" + String(repeating: "11", count: 30),
            modelName: "magika",
            modelVersion: version,
            commit: commit,
            weight: weight,
            replicas: self.replicas("file-type-a3f011", port: 9001, states: ["ready", "ready", "ready"]),
            wantedReplicas: 3,
            artifact: "verified"
        )
    }

    package static func canary(weight: Int?, states: [String] = ["ready", "ready", "ready"]) -> RevisionStatus {
        RevisionStatus(
            revision: "5f2c" + String(repeating: "22", count: 30),
            modelName: "magika",
            modelVersion: "3.4",
            commit: self.newCommit,
            weight: weight,
            replicas: self.replicas("file-type-5f2c22", port: 9101, states: states),
            wantedReplicas: 3,
            artifact: "verified"
        )
    }

    package static func base(_ phase: String, _ health: DeploymentStatus.Health, _ message: String) -> DeploymentStatus
    {
        var status = DeploymentStatus(
            namespace: "search",
            name: "file-type",
            phase: phase,
            health: health,
            message: message,
            since: self.ago(252)
        )
        status.desired = self.newCommit
        status.sources = ["router: 0.4 s ago", "git models: polled 12 s ago"]
        return status
    }

    package static func event(_ seconds: Double, _ kind: String, _ message: String, by: String? = nil) -> EventStatus {
        EventStatus(
            time: self.ago(seconds),
            deployment: "search/file-type",
            kind: kind,
            message: message,
            by: by,
            commit: self.newCommit
        )
    }

    package static var autoscaled: DeploymentStatus {
        var status = self.settled
        status.autoscaling = AutoscalingStatus(
            minReplicas: 2,
            maxReplicas: 8,
            targetConcurrency: 4,
            replicas: 3,
            requestsInFlight: 6.3,
            neededReplicas: 2,
            fewerAt: self.ago(-190),
            fewerReplicas: 2
        )
        status.next.append(
            NextStatus(
                what: "it is scaled down to 2 replicas, unless more are needed until then",
                at: self.ago(-190)
            )
        )
        status.events.append(
            EventStatus(
                time: self.ago(600),
                deployment: "search/file-type",
                kind: "scaled",
                message: "scaled from 2 to 3: 8.4 requests in flight, 4 per replica",
                by: nil,
                commit: self.oldCommit
            )
        )
        return status
    }

    package static var settled: DeploymentStatus {
        var status = self.base("settled", .healthy, "serves magika 3.3")
        status.since = self.ago(90_000)
        status.stable = self.stable(weight: 100)
        status.desired = self.oldCommit
        status.events = [self.event(91_800, "promoted", "magika 3.3 takes all traffic")]
        return status
    }

    package static var midCanary: DeploymentStatus {
        var status = self.base("stepping", .progressing, "canary magika 3.4 takes 25 % of the traffic")
        status.stable = self.stable(weight: 75)
        status.canary = self.canary(weight: 25, states: ["ready", "ready", "backing-off"])
        status.steps = [
            StepStatus(title: "weight 5 %", state: .done),
            StepStatus(
                title: "weight 25 %",
                state: .current,
                since: self.ago(252),
                atLeastEnds: self.ago(-48),
                atMostEnds: self.ago(-1548)
            ),
            StepStatus(title: "approval", state: .pending),
            StepStatus(title: "weight 50 %", state: .pending),
        ]
        status.gates = [
            GateStatus(
                name: "errors",
                outcome: "passed",
                value: "canary 0.1 % (0.0 to 0.4), stable 0.1 % (0.0 to 0.2)",
                limit: "at most 1.1 times stable's",
                breachEvidence: 0.02,
                safeEvidence: 1
            ),
            GateStatus(
                name: "latency",
                outcome: "inconclusive",
                value: "canary 1.4 % (0.9 to 2.2) above 250 ms, stable 1.0 % (0.8 to 1.3)",
                limit: "at most 1.1 times stable's",
                breachEvidence: 0.314,
                safeEvidence: 0.12,
                prediction: "about 7 min at 40 requests/s"
            ),
            GateStatus(
                name: "prediction-drift",
                outcome: "provider-down",
                value: "",
                limit: "",
                detail: "prometheus did not answer for 40 s: connection refused"
            ),
        ]
        status.waitingFor = ["gate latency to decide", "step weight 25 % to last 48 s more"]
        status.next = [
            NextStatus(
                what: "step 3 of 4 (approval) follows as soon as every gate has passed, but not before then",
                at: self.ago(-48)
            ),
            NextStatus(
                what: "gate latency is expected to pass, if the canary is as good as stable",
                at: self.ago(-420),
                isEstimate: true
            ),
            NextStatus(
                what: "without a verdict by then, it waits for a person (`onInconclusive`)",
                at: self.ago(-1548)
            ),
        ]
        status.rollsBackIf = [
            "gate errors shows that the canary breaks `at most 1.1 times stable's`: now at 2 % of the evidence that "
                + "takes",
            "gate latency shows that the canary breaks `at most 1.1 times stable's`: now at 31 % of the evidence that "
                + "takes",
            "every replica of it ends while one of stable's is ready",
        ]
        status.desiredRevision = "5f2c" + String(repeating: "22", count: 30)
        status.events = [
            self.event(700, "rollout-started", "from magika 3.3 to magika 3.4"),
            self.event(500, "step-started", "step 1 of 4: weight 5 %"),
            self.event(252, "step-started", "step 2 of 4: weight 25 %"),
        ]
        return status
    }

    package static var paused: DeploymentStatus {
        var status = self.midCanary
        status.health = .held
        status.message = "paused by alice: looking at latency"
        status.gates = []
        status.waitingFor = []
        status.holds = [
            HoldStatus(
                kind: "paused",
                by: "alice",
                why: "looking at latency",
                until: self.ago(-1080),
                remedy: "controller resume search/file-type"
            )
        ]
        status.holds[0].since = self.ago(60)
        status.events.append(self.event(60, "paused", "looking at latency", by: "alice"))
        return status
    }

    package static var approval: DeploymentStatus {
        var status = self.midCanary
        status.health = .held
        status.message = "waits for an approval at 25 %"
        status.canary = self.canary(weight: 25)
        status.gates = []
        status.waitingFor = ["an approval"]
        status.steps[1] = StepStatus(title: "weight 25 %", state: .done)
        status.steps[2] = StepStatus(title: "approval", state: .current, since: self.ago(30))
        status.holds = [
            HoldStatus(kind: "approval", why: "step 3 of 4", remedy: "controller promote search/file-type")
        ]
        return status
    }

    package static var rolledBack: DeploymentStatus {
        var status = self.base("settled", .degraded, "rolled back to magika 3.3: gate errors failed at 25 %")
        status.stable = self.stable(weight: 100)
        status.desiredRevision = "5f2c" + String(repeating: "22", count: 30)
        status.next = [
            NextStatus(
                what: "nothing, until a commit with another revision or `controller retry search/file-type`: git names "
                    + "magika 3.4 (main@sha1:1eabc9a4), which is quarantined"
            )
        ]
        status.quarantined = [
            QuarantineStatus(
                revision: "5f2c" + String(repeating: "22", count: 30),
                modelVersion: "3.4",
                commit: self.newCommit,
                reason: "gate errors failed at 25 %: canary 4.1 %, stable 0.1 %",
                since: self.ago(252)
            )
        ]
        status.events = [
            self.event(700, "rollout-started", "from magika 3.3 to magika 3.4"),
            self.event(252, "rolled-back", "gate errors failed at 25 %"),
        ]
        return status
    }

    package static var preparing: DeploymentStatus {
        var status = self.base("preparing", .progressing, "preparing magika 3.4 (main@sha1:1eabc9a4)")
        status.stable = self.stable(weight: 100)
        status.canary = self.canary(weight: 0, states: ["starting", "ready", "backing-off"])
        status.waitingFor = ["1 of 3 replicas of 5f2c222222 ready"]
        status.next = [
            NextStatus(what: "once all its replicas are ready and its signature agrees, step 1 sends it 5 %"),
            NextStatus(
                what: "if that has not come by then, it is taken back (`progressDeadline`)",
                at: self.ago(-348)
            ),
            NextStatus(what: "replica file-type-5f2c22-2 is started again", at: self.ago(-8)),
        ]
        status.rollsBackIf = [
            "its artifact cannot be had or verified, or a replica can never become ready",
            "it is not ready by `progressDeadline`",
        ]
        return status
    }

    package static var baking: DeploymentStatus {
        var status = self.base("baking", .healthy, "magika 3.4 (main@sha1:1eabc9a4) has all traffic and bakes")
        status.stable = self.canary(weight: 100)
        status.previous = self.stable(weight: 0)
        status.bakeEnds = self.ago(-1548)
        status.next = [
            NextStatus(
                what: "the bake ends and magika 3.3 (main@sha1:9c1d2e0b) stops; after that a rollback has to start "
                    + "replicas first",
                at: self.ago(-1548)
            )
        ]
        status.rollsBackIf = ["objective availability burns its error budget too fast"]
        return status
    }

    package static var rollingBack: DeploymentStatus {
        var status = self.base("rolling-back", .degraded, "rolling back: gate errors failed: canary 4.1 % of 480")
        status.since = self.ago(2)
        status.stable = self.stable(weight: 75)
        status.canary = self.canary(weight: 25)
        status.waitingFor = ["the router to serve a3f0111111 100 %"]
        status.next = [NextStatus(what: "once the router is seen sending it nothing, its replicas drain and stop")]
        return status
    }

    package static var removing: DeploymentStatus {
        var status = self.base("removing", .progressing, "being removed: its manifest is gone from git")
        status.stable = self.stable(weight: 0)
        status.desired = nil
        return status
    }

    package static var pinned: DeploymentStatus {
        var status = self.settled
        status.pin = PinStatus(revision: "a3f0" + String(repeating: "11", count: 30), by: "alice")
        status.desired = self.newCommit
        status.next = [
            NextStatus(what: "alice's rollback stands until git names another revision than it did then")
        ]
        return status
    }

    /// What somebody who can write commits and logs may try on whoever looks.
    package static var hostile: DeploymentStatus {
        var status = self.midCanary
        let attack = "x\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202E}txet\u{2028}"
        status.message = attack
        status.canary?.commit.subject = attack
        status.canary?.commit.author = attack
        status.canary?.replicas[0].lastFailure = attack
        status.gates[0].detail = attack
        status.holds = [HoldStatus(kind: "paused", by: attack, why: attack, remedy: attack)]
        status.diagnostics = [attack]
        status.waitingFor = [attack]
        status.next = [NextStatus(what: attack)]
        status.rollsBackIf = [attack]
        status.sources = [attack]
        status.quarantined = self.rolledBack.quarantined
        status.quarantined[0].reason = attack
        status.events.append(self.event(1, attack, attack, by: attack))
        return status
    }

    package static let all: [(name: String, status: DeploymentStatus)] = [
        ("settled", settled), ("mid-canary", midCanary), ("paused", paused), ("approval", approval),
        ("rolled-back", rolledBack), ("preparing", preparing), ("baking", baking), ("rolling-back", rollingBack),
        ("removing", removing), ("pinned", pinned), ("autoscaled", autoscaled),
    ]
}

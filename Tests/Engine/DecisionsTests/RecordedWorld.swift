import Decisions
import Deployments
import Reconciliation
import Rollouts
import Simulation

/// What the controller of a simulated world decided, in order.
enum RecordedWorld {
    static let policy = RolloutPolicy(
        steps: [5, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(10), atMost: .seconds(300))
        },
        gates: [.errors, .clientErrors, .latency(below: .milliseconds(250))],
        bakeTime: .seconds(60),
        progressDeadline: .seconds(60)
    )

    /// A rollout from its merge to its end; the canary answers so many of its requests with errors.
    static func decisions(
        errors: Double = 0.002,
        ticks: Int = 300,
        kills: Set<Int> = [],
        policy: RolloutPolicy = Self.policy
    ) async -> [Decision] {
        var scenario = Scenario(traffic: 1000, ticks: ticks)
        scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
        scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
        scenario.commands[40] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
        scenario.commands[50] = [Command(.resume, by: "sre")]
        scenario.revisions[Scenario.revision(1)] = Scenario.Behaviour(errors: errors)
        scenario.kills = kills
        return await Self.decisions(in: scenario, seed: 1)
    }

    /// A short history with every end: a promotion with its bake, a rollback by a gate, and one by an operator.
    ///
    /// So much traffic that few looks suffice.
    static func history() async -> [Decision] {
        var policy = Self.policy
        policy.steps = [5, 50].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(2), atMost: .seconds(60))
        }
        policy.bakeTime = .seconds(5)
        var scenario = Scenario(traffic: 20_000, ticks: 120)
        scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
        scenario.commits[8] = .spec(Scenario.spec(1, policy: policy))
        scenario.commands[14] = [Command(.pause(until: nil), by: "sre", why: "lunch")]
        scenario.commands[15] = [Command(.resume, by: "sre")]
        scenario.commits[50] = .spec(Scenario.spec(2, policy: policy))
        scenario.revisions[Scenario.revision(2)] = Scenario.Behaviour(errors: 0.5)
        scenario.commits[70] = .spec(Scenario.spec(3, policy: policy))
        scenario.commands[80] = [Command(.rollback(to: nil), by: "sre", why: "wrong labels")]
        scenario.kills = [11]
        return await Self.decisions(in: scenario, seed: 1)
    }

    private static func decisions(in scenario: Scenario, seed: UInt64) async -> [Decision] {
        var world = World(scenario: scenario, seed: seed, isRecording: true)
        _ = await world.run()
        // As the daemon does: what changed nothing is not kept.
        return world.records.compactMap(\.decision).filter {
            $0.after != $0.before || !$0.outcome.transitions.isEmpty || !$0.outcome.answers.isEmpty
        }
    }

    /// Those of a world in which much goes wrong.
    static func hostile(seed: UInt64) async -> [Decision] {
        await Self.decisions(in: .hostile(seed: seed), seed: seed)
    }

    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    /// An export of the decisions, a line for each element.
    static func export(_ decisions: [Decision]) throws -> [[UInt8]] {
        var recorder = DecisionRecorder(after: 0)
        var lines = [try DecisionLine.bytes(of: DecisionLine.Header(exported: Self.start, deployment: nil))]
        for decision in decisions {
            let recording = try recorder.record(decision)
            recorder.keep(recording)
            if recording.beginsChapter {
                let head = DecisionLine.ChapterHead(
                    number: recording.chapter,
                    deployment: decision.deployment,
                    decisions: 0
                )
                lines.append(try DecisionLine.bytes(of: head))
            }
            if let spec = recording.spec {
                lines.append(DecisionLine.bytes(ofSpec: spec.bytes, digest: spec.digest))
            }
            lines.append(DecisionLine.bytes(ofDecision: recording.bytes, sum: recording.sum))
        }
        lines.append(try DecisionLine.bytes(of: DecisionLine.End(decisions: decisions.count)))
        return lines
    }

    /// Replays lines up to the first difference.
    static func replay(_ lines: [[UInt8]], by handler: @escaping Decision.Handler = { $0.handle($1, at: $2) })
        throws -> (steps: [Replay.Step], isComplete: Bool)
    {
        var replay = Replay(handler: handler)
        var steps: [Replay.Step] = []
        for line in lines {
            guard let step = try replay.take(line) else { continue }
            steps.append(step)
            if step.difference != nil { break }
        }
        return (steps, replay.isComplete)
    }
}

import ControllerAPI
import Foundation
import Glibc
import Simulation
import Testing

/// Real rollouts one after another under load, while the controller is killed again and again and started at once.
///
/// Each story runs undisturbed first, for its end and its time. A kill comes after up to half of that time since the
/// controller answered, drawn evenly; every fourth after up to the time of a start, so that it strikes in one. So all
/// of a rollout is struck alike, and a rollout still comes to its end.
struct KillCampaign {
    /// Enough to strike two rollouts in the usual tests.
    static let usualKills = 6
    /// A test's limit: half a minute a kill when many are asked for.
    static var minutes: Int {
        max(4, (Int(ProcessInfo.processInfo.environment["KILLS"] ?? "") ?? 0) / 2)
    }
    private static let startShare = 0.25

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct Baseline {
        var end: KillEnd
        var time: Duration
    }

    /// A rollout that is over: what git was told of its commit must stay that way.
    private struct Past {
        var number: Int
        var commit: String
        var told: [String]
    }

    private let sandbox: Sandbox
    private let load: Load
    private let wanted: Int
    private let seed: UInt64
    private var dice: Dice
    private var kills = 0
    private var rollouts = 0
    private var version = 1
    private var startTime: Duration = .zero
    private var baselines: [KillStory: Baseline] = [:]
    private var past: [Past] = []
    private var differences: [String] = []
    private var badRevisions: Set<String> = []
    private var dropped: [Load.Answer] = []
    /// How often the controller was killed in which phase.
    private var struck: [String: Int] = [:]

    init(kills: Int, seed: UInt64, on sandbox: Sandbox) async throws {
        (self.sandbox, self.wanted, self.seed, self.dice) = (sandbox, kills, seed, Dice(seed: seed))
        try await sandbox.startController()
        try await sandbox.merge(Release(version: "1"))
        try await sandbox.serves("1")
        sandbox.killController()
        let clock = ContinuousClock.now
        try await sandbox.startController()
        try await sandbox.wait(for: "the first looks") { $0.health == .healthy }
        self.startTime = ContinuousClock.now - clock
        self.load = try await Load(rate: 150, seconds: Self.minutes * 60, on: sandbox)
    }

    mutating func run() async throws {
        self.say("\(self.wanted) kills, seed \(self.seed); a start takes \(Self.seconds(self.startTime))")
        var stories: [KillStory] = []
        while self.kills < self.wanted {
            if stories.isEmpty { stories = KillStory.allCases.shuffled(using: &self.dice) }
            let story = stories.removeFirst()
            if self.baselines[story] == nil {
                let clock = ContinuousClock.now
                let end = try await self.rollOut(story, killing: false)
                let time = ContinuousClock.now - clock
                // Two ends that are wrong in the same way would be the same.
                try #require(end.told == story.told, "`\(story)`, undisturbed: \(end)")
                self.baselines[story] = Baseline(end: end, time: time)
                self.say("undisturbed, `\(story)` takes \(Self.seconds(time)): \(end)")
            }
            let end = try await self.rollOut(story, killing: true)
            if let baseline = self.baselines[story], end != baseline.end {
                self.differences.append("rollout \(self.rollouts) (`\(story)`), after kill \(self.kills): \(end)")
                self.say("a different end: \(end)")
            }
        }
        try await self.finish()
    }

    private func say(_ text: String) {
        print("kills: \(text)")
        // Not a terminal, so it would come at the end only.
        fflush(nil)
    }

    private static func seconds(_ time: Duration) -> String {
        time.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1)))
    }
}

// MARK: - One rollout

extension KillCampaign {
    private mutating func rollOut(_ story: KillStory, killing: Bool) async throws -> KillEnd {
        self.version += 1
        self.rollouts += 1
        let file = "\(self.sandbox.folder)/fail-\(self.version)"
        let commit = try await self.sandbox.merge(story.release("\(self.version)", faultFile: file))
        var hasStarted = true
        var next: ContinuousClock.Instant? = killing ? self.moment(in: story) : nil
        var command: Process?
        // From the last kill on.
        var deadline = ContinuousClock.now + .seconds(120)
        var phase = "settled"
        while true {
            if let moment = next, self.kills < self.wanted, ContinuousClock.now >= moment {
                try self.strike(in: hasStarted ? phase : "start", of: story)
                hasStarted = false
                deadline = .now + .seconds(120)
                next = self.dice.chance(Self.startShare) ? .now + self.startTime * self.dice.fraction() : nil
            }
            try self.check(story, commit, until: deadline)
            if let status = await self.sandbox.status() {
                phase = status.phase
                // Until both platform and router were looked at, it is still starting.
                if !hasStarted, status.health != .unknown {
                    hasStarted = true
                    next = next ?? self.moment(in: story)
                }
                try self.act(in: status, of: story, file: file, &command)
                if let end = try await self.end(of: status, on: commit) {
                    self.past.append(Past(number: self.rollouts, commit: commit, told: end.told))
                    if story.answersErrors { self.excuse(status) }
                    try self.countDropped()
                    return end
                }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private mutating func moment(in story: KillStory) -> ContinuousClock.Instant {
        .now + (self.baselines[story]?.time ?? .zero) / 2 * self.dice.fraction()
    }

    private mutating func strike(in phase: String, of story: KillStory) throws {
        self.sandbox.killController()
        self.kills += 1
        self.struck[phase, default: 0] += 1
        self.say(
            "kill \(self.kills) of \(self.wanted), rollout \(self.rollouts) (`\(story)`), in \(phase), "
                + "seed \(self.seed)"
        )
        try self.sandbox.launchController()
    }

    private func check(_ story: KillStory, _ commit: String, until deadline: ContinuousClock.Instant) throws {
        let place = "rollout \(self.rollouts) (`\(story)`, commit \(commit)), kill \(self.kills), seed \(self.seed)"
        if !self.sandbox.isControllerRunning {
            throw Failure(description: "the controller ended by itself; \(place):\n\(self.sandbox.lastWords)")
        }
        if ContinuousClock.now > deadline {
            throw Failure(description: "no end within two minutes; \(place):\n\(self.sandbox.lastWords)")
        }
    }

    /// What people do in the story.
    private func act(in status: DeploymentStatus, of story: KillStory, file: String, _ command: inout Process?) throws {
        switch story {
        case .breached where status.phase == "baking":
            if !FileManager.default.fileExists(atPath: file) { try self.sandbox.write(file, "") }
        case .recalled where status.phase == "stepping":
            // An operator whose command was not answered looks, and types it again. One that was is not repeated,
            // though what was seen may be from before it: that would go back one revision further.
            guard command?.isRunning != true, command?.terminationStatus != 0 else { return }
            command = try self.sandbox.start(
                try Machine.controller(),
                ["rollback", Sandbox.name, "--why", "wrong labels", "--socket", self.sandbox.socket],
                output: "\(self.sandbox.folder)/commands.log"
            )
        case .promoted, .failed, .breached, .recalled, .refused:
            break
        }
    }

    /// The end, once there is one: settled, told to git, and nothing on its way.
    private func end(of status: DeploymentStatus, on commit: String) async throws -> KillEnd? {
        guard status.phase == "settled", status.canary == nil, status.previous == nil,
            status.desired?.commit == commit, let stable = status.stable,
            stable.replicas.count == stable.wantedReplicas, stable.replicas.allSatisfy({ $0.state == "ready" }),
            case let servers = self.sandbox.processes("model_server.py").count, servers == stable.wantedReplicas
        else { return nil }
        // It may be killed just now, or end by itself; then it is asked again.
        guard let all = try? await self.sandbox.client.history(Sandbox.id, limit: APIRoute.historyLimit) else {
            return nil
        }
        let events = KillEnd.kinds(of: all.filter { $0.commit?.commit == commit })
        let told = try await self.sandbox.told(of: commit)
        guard let last = events.last(where: KillEnd.outcomes.contains), told.last == last else { return nil }
        let version = "\(self.version)"
        return KillEnd(
            serves: stable.modelVersion == version ? "the new release" : "the one before",
            quarantine: status.quarantined.filter { $0.modelVersion == version }
                .map { KillEnd.withoutNumbers($0.reason) },
            events: events,
            told: told,
            servers: servers,
            envoys: self.sandbox.processes("envoy/bootstrap.json").count
        )
    }

    /// The model of this rollout answers with errors by itself.
    private mutating func excuse(_ status: DeploymentStatus) {
        let own = status.quarantined.filter { $0.modelVersion == "\(self.version)" }
        self.badRevisions.formUnion(own.map { String($0.revision.prefix(10)) })
    }

    private mutating func countDropped() throws {
        let new = try self.load.newAnswers().filter { answer in
            // 500 is what the model says by itself; of Envoy's own answers none has it.
            let isModels = answer.status == 500 && self.badRevisions.contains(answer.revision)
            return !(200..<300).contains(answer.status) && !isModels
        }
        if !new.isEmpty {
            self.say("rollout \(self.rollouts), until kill \(self.kills): dropped \(new)")
            self.dropped += new
        }
    }
}

// MARK: - The end of the campaign

extension KillCampaign {
    private mutating func finish() async throws {
        let report = try await self.load.end()
        try self.countDropped()
        let replay = try await self.sandbox.replay()
        self.sandbox.killController()
        let journal = try await self.sandbox.replay(fromJournal: true)
        for past in self.past {
            let told = try await self.sandbox.told(of: past.commit)
            if told != past.told { self.differences.append("rollout \(past.number) was told again: \(told)") }
        }
        let log = try String(contentsOfFile: self.sandbox.log, encoding: .utf8)
        let broken = log.split(separator: "\n").filter { $0.contains(" critical ") }
        let struck = self.struck.sorted { $0.key < $1.key }.map { "\($0.value) in \($0.key)" }
        self.say("killed \(struck.joined(separator: ", "))")
        self.say("replayed: \(replay.output.split(separator: "\n").last ?? "")")
        self.say(
            "\(self.kills) kills, \(self.rollouts) rollouts, \(self.differences.count) different ends, "
                + "\(self.dropped.count + report.socketErrors) of \(report.answers.count) requests dropped"
        )
        var failures = self.differences
        failures += self.dropped.map { "dropped: \($0)" }
        failures += broken.map(String.init)
        if report.socketErrors > 0 { failures.append("\(report.socketErrors) requests were not answered") }
        for replay in [replay, journal] where replay.status != 0 {
            failures.append("replay: \(replay.output)\(replay.error)")
        }
        if !failures.isEmpty {
            throw Failure(description: "seed \(self.seed):\n\(failures.joined(separator: "\n"))")
        }
    }
}

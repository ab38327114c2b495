import ControllerAPI
import Foundation
import Testing

/// What an operator or a service manager does on an ordinary day: SIGTERM and a start, of this program or of the next
/// version's.
extension IntegrationTests {
    @Test
    func `stops, starts and upgrades at every stage of a rollout drop no request, and it goes on`() async throws {
        try await Sandbox.run { sandbox in
            let programs = [try Machine.controller(), try sandbox.nextVersion()]
            var release = Release(version: "1", replicas: 2)
            // Starts, drains and ends of replicas take long enough to be struck.
            release.faults = "start=1"
            release.steps = [Release.Step(25), Release.Step(60)]
            release.bakeTime = "2s"
            try await sandbox.startController()
            try await sandbox.merge(release)
            try await sandbox.wait(for: "version 1 serves") { $0.phase == "settled" && $0.stable?.readyCount == 2 }
            let load = try await Load(rate: 150, on: sandbox)
            var journey = Journey(programs: programs)
            for version in ["2", "3"] {
                release.version = version
                // One replica goes for each that comes, and only then.
                if version == "3" { (release.surge, release.steps) = (50, [Release.Step(25), Release.Step(50)]) }
                let commit = try await sandbox.merge(release)
                try await journey.follow(version, of: commit, on: sandbox)
            }
            let report = try await load.endUnharmed()
            #expect(try await sandbox.count("rolled-back") == 0)
            try await sandbox.expectReplay()
            let phases = Set(journey.stages.map { $0.prefix { $0 != " " } })
            #expect(phases.isSuperset(of: ["preparing", "stepping", "promoting", "baking"]), "\(journey.stages)")
            print(
                "restarts: \(journey.restarts), \(journey.upgrades) of them with another program; "
                    + "\(report.failed + report.socketErrors) of \(report.answers.count) requests failed"
            )
        }
    }

    @Test
    func `a canary that waits for a person keeps its weight and its replicas over a restart`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", replicas: 2))
            try await sandbox.serves("1")
            let load = try await Load(rate: 150, on: sandbox)
            var release = Release(version: "2", replicas: 2)
            release.steps = [.long(25)]
            try await sandbox.merge(release)
            let before = try await sandbox.canary("2", at: 25)
            let next = try sandbox.nextVersion()
            for program in [nil, next, nil] {
                try await sandbox.stopController()
                try sandbox.launchController(program)
                let after = try await sandbox.wait(for: "the first looks") { $0.health != .unknown }
                #expect(after.phase == before.phase)
                #expect(after.since == before.since)
                #expect(after.canary?.weight == 25)
                #expect(after.places == before.places, "the same processes go on")
            }
            let promoted = try await sandbox.command("promote", Sandbox.name, "--full")
            try #require(promoted.status == 0, "\(promoted.error)")
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }
}

/// Restarts the controller whenever a rollout is where it was not seen before.
private struct Journey {
    let programs: [String]
    var stages: [String] = []
    var restarts = 0
    var upgrades = 0

    init(programs: [String]) { self.programs = programs }

    mutating func follow(_ version: String, of commit: String, on sandbox: Sandbox) async throws {
        var seen: Set<String> = []
        let deadline = ContinuousClock.now + .seconds(150)
        while true {
            let status = await sandbox.status()
            let place = status.map { "\($0.stage), \($0.stable.map { "\($0)" } ?? "no stable"), of \(commit)" }
            try #require(
                ContinuousClock.now < deadline,
                "no end of \(version): \(place ?? "no answer"); \(seen)\n\(sandbox.lastWords)"
            )
            if let status, status.phase == "settled", status.stable?.commit.commit == commit, status.canary == nil,
                status.stable?.readyCount == 2
            {
                return
            }
            if let status, status.health != .unknown, status.desired?.commit == commit,
                seen.insert(status.stage).inserted
            {
                self.stages.append(status.stage)
                try await self.restart(sandbox)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private mutating func restart(_ sandbox: Sandbox) async throws {
        self.restarts += 1
        let program = self.programs[self.restarts % self.programs.count]
        if program != self.programs[0] { self.upgrades += 1 }
        try await sandbox.stopController()
        try sandbox.launchController(program)
        try await sandbox.wait(for: "the first looks") { $0.health != .unknown }
    }
}

extension Sandbox {
    /// The program at another path, as a package brings it: a new file, as the old one is being executed.
    fileprivate func nextVersion() throws -> String {
        let path = "\(self.folder)/controller-next"
        try FileManager.default.copyItem(atPath: try Machine.controller(), toPath: path)
        return path
    }
}

extension DeploymentStatus {
    /// Where a rollout is, and what its replicas are doing: `stepping 25 starting`.
    fileprivate var stage: String {
        let revisions = [self.canary, self.previous, self.stable].compactMap(\.self)
        let moving = Set(revisions.flatMap(\.replicas).map(\.state)).subtracting(["ready"]).sorted()
        let weight = self.canary?.weight.map { "\($0)" } ?? "-"
        return ([self.phase, weight] + moving).joined(separator: " ")
    }

    /// A replica that was started again would have another port.
    fileprivate var places: Set<String> {
        let revisions = [self.canary, self.stable].compactMap(\.self)
        return Set(revisions.flatMap(\.replicas).map { "\($0.name) \($0.endpoint ?? "")" })
    }
}

extension RevisionStatus {
    fileprivate var readyCount: Int { self.replicas.count { $0.state == "ready" } }
}

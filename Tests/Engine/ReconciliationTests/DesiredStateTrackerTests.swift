import Deployments
import Manifests
import Reconciliation
import Rollouts
import Testing

@Suite
struct DesiredStateTrackerTests {
    static let repository = "models"
    static let start = Timestamp(milliseconds: 1_000_000)
    static let origin = CommitReference(repository: Self.repository, branch: "main", commit: "1")

    static func spec(_ name: String, path: String? = nil) -> DeploymentSpec {
        var origin = Self.origin
        origin.path = path ?? "\(name).yaml"
        return DeploymentSpec(
            id: DeploymentID(namespace: "default", name: name),
            revision: Revision(digest: name),
            origin: origin,
            model: Model(name: name, version: "1", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"])
        )
    }

    static func tracker(_ names: [String]) -> DesiredStateTracker {
        var tracker = DesiredStateTracker(policies: [Self.repository: .init(grace: .minutes(5), maxShare: 30)])
        Self.update(&tracker, names)
        return tracker
    }

    static func update(
        _ tracker: inout DesiredStateTracker,
        _ names: [String],
        invalid: Set<DeploymentID> = [],
        unreadable: Set<String> = [],
        rewroteHistory: Bool = false,
        at time: Timestamp = Self.start
    ) {
        let state = DesiredState(
            deployments: names.map { Self.spec($0) },
            invalid: invalid,
            unreadable: unreadable
        )
        tracker.update(
            state,
            from: Self.repository,
            origin: Self.origin,
            rewroteHistory: rewroteHistory,
            at: time
        )
        tracker.notePoll(of: Self.repository)
    }

    static let id = DeploymentID(namespace: "default", name: "a")
    static let many = ["a", "b", "c", "d"]

    @Test
    func `a manifest that vanishes is a deletion after two polls and the grace time`() {
        var tracker = Self.tracker(Self.many)
        Self.update(&tracker, ["b", "c", "d"])
        #expect(tracker.desired(Self.id, at: Self.start + .minutes(6)) == .spec(Self.spec("a")), "one poll only")
        tracker.notePoll(of: Self.repository)
        #expect(tracker.desired(Self.id, at: Self.start + .minutes(4)) == .spec(Self.spec("a")), "within the grace")
        #expect(tracker.desired(Self.id, at: Self.start + .minutes(5)) == .absent)
    }

    @Test
    func `a manifest that comes back in time was never gone`() {
        var tracker = Self.tracker(Self.many)
        Self.update(&tracker, ["b", "c", "d"])
        Self.update(&tracker, Self.many, at: Self.start + .minutes(4))
        tracker.notePoll(of: Self.repository)
        #expect(tracker.desired(Self.id, at: Self.start + .hours(1)) == .spec(Self.spec("a")))
    }

    @Test
    func `a commit that removes too much, or everything, or rewrote history waits for an operator`() {
        for (names, rewrote) in [(["c", "d"], false), ([], false), (["b", "c", "d"], true)] {
            var tracker = Self.tracker(Self.many)
            Self.update(&tracker, names, rewroteHistory: rewrote)
            for _ in 0..<5 { tracker.notePoll(of: Self.repository) }
            #expect(tracker.desired(Self.id, at: Self.start + .hours(9)) == .spec(Self.spec("a")))
            #expect(tracker.notes(on: Self.id).contains { $0.contains("controller prune default/a") })
            let isConfirmed = tracker.confirmDeletion(of: Self.id)
            #expect(isConfirmed)
            #expect(tracker.desired(Self.id, at: Self.start) == .absent)
        }
    }

    @Test
    func `a manifest in git cannot be pruned`() {
        var tracker = Self.tracker(Self.many)
        let isConfirmed = tracker.confirmDeletion(of: Self.id)
        #expect(!isConfirmed)
    }

    @Test
    func `a broken manifest, or an unreadable file, is no deletion: the last good one stands`() {
        for (invalid, unreadable) in [([Self.id], []), ([], ["a.yaml"])] as [(Set<DeploymentID>, Set<String>)] {
            var tracker = Self.tracker(Self.many)
            Self.update(&tracker, ["b", "c", "d"], invalid: invalid, unreadable: unreadable)
            for _ in 0..<5 { tracker.notePoll(of: Self.repository) }
            #expect(tracker.desired(Self.id, at: Self.start + .hours(9)) == .spec(Self.spec("a")))
        }
    }

    @Test
    func `a vanished manifest that comes back unreadable is not removed`() {
        var tracker = Self.tracker(Self.many)
        Self.update(&tracker, ["b", "c", "d"])
        Self.update(&tracker, ["b", "c", "d"], unreadable: ["a.yaml"])
        for _ in 0..<5 { tracker.notePoll(of: Self.repository) }
        #expect(tracker.desired(Self.id, at: Self.start + .hours(9)) == .spec(Self.spec("a")))
        let isConfirmed = tracker.confirmDeletion(of: Self.id)
        #expect(!isConfirmed)
    }

    @Test
    func `a removal that was held stays held over a restart, whatever commit is read next`() {
        var tracker = Self.tracker(Self.many)
        Self.update(&tracker, ["b", "c", "d"], rewroteHistory: true)
        let held = tracker.heldRemoval(of: Self.id)
        #expect(held == "the commit rewrote history")
        var restarted = DesiredStateTracker(policies: [Self.repository: .init()])
        for name in Self.many {
            restarted.restore(
                Self.spec(name),
                from: Self.repository,
                held: name == "a" ? held : nil,
                at: Self.start
            )
        }
        Self.update(&restarted, ["b", "c", "d"])
        for _ in 0..<5 { restarted.notePoll(of: Self.repository) }
        #expect(restarted.desired(Self.id, at: Self.start + .hours(9)) == .spec(Self.spec("a")))
    }

    @Test
    func `a broken defaults.yaml is noted on the deployments below it, which stay`() {
        var tracker = DesiredStateTracker(policies: [Self.repository: .init()])
        let specs = [Self.spec("a", path: "prod/eu/a.yaml"), Self.spec("b", path: "production/b.yaml")]
        func update(_ state: DesiredState) {
            tracker.update(state, from: Self.repository, origin: Self.origin, rewroteHistory: false, at: Self.start)
            tracker.notePoll(of: Self.repository)
        }
        update(DesiredState(deployments: specs))
        let problem = Diagnostic(path: "prod/defaults.yaml", line: 5, column: 3, field: "spec.replicas", message: "no")
        update(DesiredState(deployments: [specs[1]], diagnostics: [problem], invalid: [specs[0].id]))
        #expect(tracker.desired(specs[0].id, at: Self.start + .hours(9)) == .spec(specs[0]))
        #expect(tracker.notes(on: specs[0].id) == ["prod/defaults.yaml:5:3: error: spec.replicas: no"])
        #expect(tracker.notes(on: specs[1].id) == [])
    }

    @Test
    func `what was desired before a restart stands until git is read again`() {
        var tracker = DesiredStateTracker(policies: [Self.repository: .init()])
        #expect(tracker.desired(Self.id, at: Self.start) == .unknown)
        tracker.restore(Self.spec("a"), from: Self.repository, at: Self.start)
        #expect(tracker.desired(Self.id, at: Self.start) == .spec(Self.spec("a")))
    }

    @Test
    func `two repositories cannot own one deployment: the first keeps it`() {
        var tracker = DesiredStateTracker(policies: ["models": .init(), "other": .init()])
        Self.update(&tracker, ["a"])
        var foreign = Self.spec("a")
        foreign.revision = Revision(digest: "foreign")
        tracker.update(
            DesiredState(deployments: [foreign]),
            from: "other",
            origin: Self.origin,
            rewroteHistory: false,
            at: Self.start
        )
        #expect(tracker.desired(Self.id, at: Self.start) == .spec(Self.spec("a")))
        let messages = tracker.diagnostics(of: "other").map(\.message)
        #expect(messages.contains { $0.contains("already declared in repository models") })
    }

    @Test
    func `a removal that an operator confirmed stays confirmed, whatever is committed meanwhile`() {
        var tracker = Self.tracker(Self.many)
        Self.update(&tracker, ["b", "c", "d"], rewroteHistory: true)
        let isConfirmed = tracker.confirmDeletion(of: Self.id)
        #expect(isConfirmed)
        Self.update(&tracker, ["b", "c", "d"], at: Self.start + .seconds(1))
        #expect(tracker.desired(Self.id, at: Self.start + .seconds(1)) == .absent)
    }
}

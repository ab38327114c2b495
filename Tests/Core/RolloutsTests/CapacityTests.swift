import Deployments
import Rollouts
import Testing

/// Whether what is to be rolled out fits, asked before anything starts.
@Suite
struct CapacityTests {
    static func spec(_ revision: Revision, gpus: Int, _ strategy: Strategy = .canary) -> DeploymentSpec {
        var spec = Stage.spec(revision, replicas: 2)
        spec.resources = Resources(gpu: gpus)
        spec.rollout.strategy = strategy
        return spec
    }

    static func serving(gpus: Int) -> Stage {
        var stage = Stage()
        stage.desired = .spec(Self.spec(Stage.good, gpus: gpus))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        return stage
    }

    @Test
    func `without room beside what runs nothing starts, and with room it does`() {
        var stage = Self.serving(gpus: 1)
        stage.capacity = Capacity(gpu: 3)
        stage.desired = .spec(Self.spec(Stage.next, gpus: 1))
        for _ in 0..<10 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.target.replicas == [Stage.good: 2])
        #expect(
            stage.rollout.holds == [
                .noRoom(
                    "it needs 2 GPUs beside the running ones, and 1 GPU of 3 is free: use a `surge` below 100%, "
                        + "`strategy: recreate` or fewer replicas"
                )
            ]
        )
        stage.capacity = Capacity(gpu: 4)
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.holds == [])
    }

    @Test
    func `what takes the place of what runs needs only its own room`() {
        var stage = Self.serving(gpus: 1)
        stage.capacity = Capacity(gpu: 2)
        stage.desired = .spec(Self.spec(Stage.next, gpus: 1, .recreate))
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
    }

    @Test
    func `other deployments leave room in time, a machine that is too small never does`() {
        let need = Resources(milliCPU: 1500, memory: 2 << 30)
        let busy = Capacity(memory: 4 << 30, used: Resources(memory: 3 << 30))
        #expect(
            busy.shortage(of: need, beside: Resources())
                == "it needs 2Gi of memory, and 1Gi of memory of 4Gi is free: it starts when other "
                + "deployments leave room"
        )
        #expect(
            Capacity(milliCPU: 1000).shortage(of: need, beside: Resources())
                == "it needs 1500m cores, and 1 core of 1 is free: it can never run here"
        )
        #expect(Capacity().shortage(of: need, beside: need) == nil, "what is not known is not checked")
        #expect(Capacity(gpu: 0).shortage(of: need, beside: Resources()) == nil, "nor is what is not asked for")
    }

    @Test
    func `an operator's rollback does not wait for room`() {
        var stage = Self.serving(gpus: 1)
        stage.desired = .spec(Self.spec(Stage.next, gpus: 1))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        stage.capacity = Capacity(gpu: 2)
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        #expect(stage.rollout.phase == .preparing)
    }
}

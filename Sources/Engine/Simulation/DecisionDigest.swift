import Decisions
import Deployments
import Planning
import Rollouts

/// A short number that stands for all decisions of a world, and how it ended: two programs that decide differently
/// anywhere in some million decisions print different ones.
///
/// FNV-1a over what was decided, in its order; Swift's own hashes differ from run to run.
struct DecisionDigest: Sendable {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func take(_ number: UInt64) {
        self.value = (self.value ^ number) &* 0x100_0000_01B3
        // Without this, what differs in high bits only would never reach the low ones.
        self.value ^= self.value >> 29
    }

    mutating func take(_ number: Int) {
        self.take(UInt64(bitPattern: Int64(number)))
    }

    mutating func take(_ text: String) {
        for byte in text.utf8 { self.value = (self.value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.take(text.utf8.count)
    }

    mutating func take(_ decision: Decision) {
        self.take(UInt64(bitPattern: decision.time.milliseconds))
        self.take(decision.deployment.name)
        self.take(decision.after.phase.name)
        if case .stepping(let step, let served) = decision.after.phase {
            self.take(step)
            self.take(UInt64(bitPattern: served?.milliseconds ?? 0))
        }
        self.take(decision.after.holds.count)
        self.take(decision.after.quarantine.count)
        for effect in decision.plan.effects { self.take(effect) }
        self.take(decision.plan.waitingFor.count)
        for transition in decision.outcome.transitions {
            self.take(transition.kind.rawValue)
            self.take(transition.message)
        }
        for answer in decision.outcome.answers { self.take(answer.message) }
    }

    private mutating func take(_ effect: Effect) {
        switch effect {
        case .route(let traffic):
            self.take("route")
            for (revision, weight) in traffic.weights.sorted(by: { $0.key < $1.key }) {
                self.take(revision.digest)
                self.take(weight.percent)
            }
            for match in traffic.matches { self.take(match.revision.digest) }
            self.take(traffic.mirror?.percent.percent ?? 0)
        case .fetch(let revision):
            self.take("fetch")
            self.take(revision.digest)
        case .start(let id): self.take("start", id)
        case .undrain(let id): self.take("undrain", id)
        case .drain(let id): self.take("drain", id)
        case .stop(let id): self.take("stop", id)
        }
    }

    private mutating func take(_ effect: String, _ id: ReplicaID) {
        self.take(effect)
        self.take(id.revision.digest)
        self.take(id.ordinal)
    }
}

import Crypto
import Deployments
import Foundation
import NIOCore
import Synchronization

/// What was answered to commands that carried a key, so that one that is sent again is not carried out again.
///
/// In memory only: a controller that starts knows none of them. Commands say what is to be, so that one which is
/// carried out a second time changes nothing, but for `promote`, which passes the step that is then current.
final class IdempotencyStore: Sendable {
    /// Who asks, and what they call it.
    struct Key: Hashable, Sendable {
        var caller: String
        var name: String
    }

    enum Beginning {
        /// To be carried out, and then to be finished or abandoned.
        case fresh
        case answered(ByteBuffer)
        /// The first one has no answer yet.
        case running
        /// The key was used for something else.
        case other
    }

    struct Limits {
        var keep = Duration.hours(24)
        var count = 10_000
        /// Of all answers together.
        var bytes = 32 << 20
    }

    private struct Entry {
        var digest: SHA256.Digest
        var since: ContinuousClock.Instant
        /// Nothing while it is carried out.
        var answer: ByteBuffer?
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Those that are answered, the oldest first; some of them may be gone.
        var order: [(key: Key, since: ContinuousClock.Instant)] = []
        var first = 0
        var bytes = 0
    }

    private let state = Mutex(State())
    private let limits: Limits
    private let now: @Sendable () -> ContinuousClock.Instant

    init(limits: Limits = Limits(), now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.now = now
    }

    /// What is to be done with a command whose path and body have this digest.
    func begin(_ key: Key, _ digest: SHA256.Digest) -> Beginning {
        let now = self.now()
        return self.state.withLock { state in
            self.forget(&state, at: now)
            guard let entry = state.entries[key] else {
                state.entries[key] = Entry(digest: digest, since: now)
                return .fresh
            }
            guard entry.digest == digest else { return .other }
            return entry.answer.map(Beginning.answered) ?? .running
        }
    }

    func finish(_ key: Key, with answer: ByteBuffer) {
        let now = self.now()
        self.state.withLock { state in
            state.entries[key]?.answer = answer
            state.entries[key]?.since = now
            state.order.append((key, now))
            state.bytes += answer.readableBytes
            self.forget(&state, at: now)
        }
    }

    /// It was not carried out: it may be asked again.
    func abandon(_ key: Key) {
        self.state.withLock { $0.entries[key] = nil }
    }

    private func forget(_ state: inout State, at now: ContinuousClock.Instant) {
        while state.first < state.order.count {
            let (key, since) = state.order[state.first]
            let isTooMany = state.order.count - state.first > self.limits.count || state.bytes > self.limits.bytes
            guard isTooMany || now - since >= self.limits.keep else { break }
            state.bytes -= state.entries[key]?.answer?.readableBytes ?? 0
            state.entries[key] = nil
            state.first += 1
        }
        // Rarely, so that it costs nothing.
        if state.first > self.limits.count {
            state.order.removeFirst(state.first)
            state.first = 0
        }
    }
}

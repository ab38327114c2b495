import Hummingbird
import NIOCore
import Synchronization

/// Encoded answers of one view, each made once however many read it.
final class AnswerShelf: Sendable {
    let version: UInt64
    private let state = Mutex(State())
    private let limit: Int

    private struct State {
        var answers: [String: Answer] = [:]
        var bytes = 0
    }

    private enum Answer {
        /// Somebody makes it; the others wait. Leads to `made`, or to nothing when it cannot be made.
        case making([CheckedContinuation<ByteBuffer?, Never>])
        case made(ByteBuffer)
    }

    private enum Turn {
        case mine
        case made(ByteBuffer)
    }

    /// At most so many bytes are kept. What would be more is made again for whoever asks next.
    init(version: UInt64, limit: Int) {
        self.version = version
        self.limit = limit
    }

    /// - Parameters:
    ///   - key: What is asked for.
    ///   - make: Encodes it. Whoever waits for somebody else's that failed makes its own.
    /// - Returns: What was made for it.
    /// - Throws: What `make` throws.
    func answer(_ key: String, _ make: () async throws -> ByteBuffer) async throws -> ByteBuffer {
        while true {
            switch await self.turn(key) {
            case .made(let answer)?: return answer
            case .mine?:
                do {
                    let answer = try await make()
                    self.put(answer, key)
                    return answer
                } catch {
                    self.put(nil, key)
                    throw error
                }
            case nil: continue
            }
        }
    }

    /// - Returns: Nothing when the one who made it failed.
    private func turn(_ key: String) async -> Turn? {
        let now: Turn?? = self.state.withLock { state in
            switch state.answers[key] {
            case .made(let answer): return .made(answer)
            case .making: return .some(nil)
            case nil:
                state.answers[key] = .making([])
                return .mine
            }
        }
        if case .some(.some(let turn)) = now { return turn }
        let answer: ByteBuffer? = await withCheckedContinuation { continuation in
            let isOver: ByteBuffer?? = self.state.withLock { state in
                switch state.answers[key] {
                case .made(let answer): return answer
                case .making(let waiting):
                    state.answers[key] = .making(waiting + [continuation])
                    return nil
                case nil: return .some(nil)
                }
            }
            if case .some(let answer) = isOver { continuation.resume(returning: answer) }
        }
        return answer.map(Turn.made)
    }

    private func put(_ answer: ByteBuffer?, _ key: String) {
        let waiting: [CheckedContinuation<ByteBuffer?, Never>] = self.state.withLock { state in
            guard case .making(let waiting) = state.answers[key] else { return [] }
            state.answers[key] = nil
            if let answer, state.bytes + answer.readableBytes <= self.limit {
                state.answers[key] = .made(answer)
                state.bytes += answer.readableBytes
            }
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: answer) }
    }
}

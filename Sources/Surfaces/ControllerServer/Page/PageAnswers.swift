import ControllerAPI
import Synchronization

/// What commands sent from pages were answered, until the page that follows has shown it. Named by numbers that nobody
/// can guess, so that no link can make a page say what the controller did not.
final class PageAnswers: Sendable {
    private struct Kept {
        var answers: [String: OperatorAnswer] = [:]
        var order: [String] = []
    }

    private let kept = Mutex(Kept())
    /// As many as people send before the page that follows is loaded again.
    private static let limit = 200

    func keep(_ answer: OperatorAnswer) -> String {
        let name = String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)
        self.kept.withLock { kept in
            kept.answers[name] = answer
            kept.order.append(name)
            if kept.order.count > Self.limit { kept.answers[kept.order.removeFirst()] = nil }
        }
        return name
    }

    func named(_ name: String) -> OperatorAnswer? {
        self.kept.withLock { $0.answers[name] }
    }
}

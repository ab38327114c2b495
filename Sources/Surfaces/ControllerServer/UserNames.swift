import Dispatch
import Glibc
import NIOCore
import Synchronization

/// The names of the users at the other end of the socket.
///
/// A system may ask a directory over the network for a name, and wait for it. Nothing of the controller waits with it:
/// the question has a thread of its own, and whoever needs the answer does without it in time.
final class UserNames: Sendable {
    static let shared = UserNames(lookup: UserNames.lookUp)

    private let lookup: @Sendable (UInt32) -> String?
    private let queue = DispatchQueue(label: "user-names")
    private let known = Mutex<[UInt32: String]>([:])
    private let waiting = Atomic(0)

    /// While the system does not answer, no more questions are kept for it than this.
    private static let waitingLimit = 64

    init(lookup: @escaping @Sendable (UInt32) -> String?) {
        self.lookup = lookup
    }

    /// - Parameters:
    ///   - user: By the kernel's word.
    ///   - loop: Where the time runs.
    ///   - patience: Until the number stands for the name.
    /// - Returns: The user's name, or `uid 1000` when the system knows none or takes too long.
    func name(of user: UInt32, on loop: any EventLoop, atMost patience: TimeAmount = .milliseconds(200)) async -> String
    {
        if let name = self.known.withLock({ $0[user] }) { return name }
        guard self.waiting.load(ordering: .relaxed) < Self.waitingLimit else { return "uid \(user)" }
        self.waiting.add(1, ordering: .relaxed)
        let answer = loop.makePromise(of: String?.self)
        let end = loop.scheduleTask(in: patience) { answer.succeed(nil) }
        self.queue.async {
            // Somebody else's question may have been answered meanwhile.
            let name = self.known.withLock { $0[user] } ?? self.lookup(user)
            self.waiting.subtract(1, ordering: .relaxed)
            if let name { self.known.withLock { $0[user] = name } }
            end.cancel()
            answer.succeed(name)
        }
        let name = try? await answer.futureResult.get()
        return (name ?? nil) ?? "uid \(user)"
    }

    @Sendable private static func lookUp(_ user: UInt32) -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        // Enough for every entry of a passwd file; a larger one (LDAP) is shown by its number.
        var storage = [CChar](repeating: 0, count: 16 * 1024)
        guard getpwuid_r(user, &entry, &storage, storage.count, &found) == 0, found != nil,
            let name = entry.pw_name
        else { return nil }
        return String(cString: name)
    }
}

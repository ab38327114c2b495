import Synchronization

/// How far one fetch is; written by the client's thread, read by the store.
final class FetchProgress: Sendable {
    private let value = Mutex<(received: Int64, total: Int64?)>((0, nil))

    var current: (received: Int64, total: Int64?) { self.value.withLock { $0 } }

    func update(received: Int64, total: Int64?) {
        self.value.withLock { $0 = (received, total) }
    }
}

import Dispatch
import Synchronization

/// Tells once that a descriptor became readable, or that nobody wants to know any more.
final class ReadSource: Sendable {
    // Dispatch's sources may be used from every thread, but their protocol does not say so to the compiler.
    private let source: Mutex<any DispatchSourceRead>

    init(of descriptor: Int32, queue: DispatchQueue) {
        self.source = Mutex(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue))
    }

    /// Calls `done` exactly once: when the descriptor is readable or after ``cancel()``, even one that came before.
    func activate(_ done: @escaping @Sendable () -> Void) {
        self.source.withLock { source in
            source.setEventHandler { [self] in self.cancel() }
            source.setCancelHandler(handler: done)
            source.activate()
        }
    }

    func cancel() {
        self.source.withLock { $0.cancel() }
    }
}

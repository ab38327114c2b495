import CCurl
import Glibc

/// The thread's own state: the multi handle and every easy handle, which never leave it.
final class TransferThread {
    private let loop: TransferLoop
    private var transfers: [UInt64: Transfer] = [:]

    init(loop: TransferLoop) {
        self.loop = loop
    }

    /// libcurl's own timers end the poll earlier; without any, nothing is to be done until mail comes.
    private static let idlePoll: Int32 = 600_000
    /// Idle connections that are kept.
    private static let maxIdleConnections = 64

    private static let library: CURLcode = curl_global_init_default()

    func run() {
        // Signals belong to the threads that expect them.
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        guard Self.library == CURLE_OK, let multi = curl_multi_init() else {
            self.refuseEverything()
            return
        }
        curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, Self.maxIdleConnections)
        self.loop.publish(multi: UInt(bitPattern: multi))
        defer {
            self.loop.publish(multi: 0)
            curl_multi_cleanup(multi)
        }
        while true {
            let (mail, isClosed) = self.loop.takeMail()
            for item in mail {
                switch item {
                case .start(let job): self.start(job, multi: multi)
                case .cancel(let id): self.cancel(id, multi: multi)
                }
            }
            if isClosed { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            self.collect(multi: multi)
            curl_multi_poll(multi, nil, 0, Self.idlePoll, nil)
        }
        for transfer in self.transfers.values {
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.end(.failure(.closed))
        }
        self.transfers = [:]
    }

    private func start(_ job: TransferJob, multi: UnsafeMutableRawPointer) {
        do throws(TransportError) {
            let transfer = try Transfer(job: job)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else { throw Transfer.outOfMemory }
            self.transfers[job.id] = transfer
        } catch {
            job.continuation.resume(returning: .failure(error))
        }
    }

    private func cancel(_ id: UInt64, multi: UnsafeMutableRawPointer) {
        guard let transfer = self.transfers.removeValue(forKey: id) else { return }
        curl_multi_remove_handle(multi, transfer.easy)
        transfer.end(.failure(.cancelled(transfer.job.request.url)))
    }

    private func collect(multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // Read before the handle is removed: that frees the message.
            let code = curl_message_result(message)
            guard let id = Transfer.id(of: easy), let transfer = self.transfers.removeValue(forKey: id) else {
                continue
            }
            curl_multi_remove_handle(multi, easy)
            transfer.finish(code)
        }
    }

    private func refuseEverything() {
        self.loop.close()
        for case .start(let job) in self.loop.takeMail().mail {
            job.continuation.resume(returning: .failure(Transfer.outOfMemory))
        }
    }
}

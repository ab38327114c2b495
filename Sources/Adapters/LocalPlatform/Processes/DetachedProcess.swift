import CSpawn
import Dispatch
import Glibc
package import Reconciliation
import Synchronization

/// A process in a session and group of its own, which outlives the controller and is found again by its identity.
///
/// It holds a descriptor of the process, so that no signal can reach another one that got the same number later.
package final class DetachedProcess: Sendable {
    package let identity: ProcessIdentity
    private let descriptor: Int32
    /// How the process ended, once that is known. It is kept because the kernel tells it only once.
    private let exit: Mutex<ProcessExit?>

    private static let queue = DispatchQueue(label: "controller.processes")
    /// How often, and how many times, the status of a process that is not our child is asked for after its end: it is
    /// there once its parent has reaped it, which an idle init may do only every second.
    private static let statusPolls = (count: 60, every: Duration.milliseconds(50))

    private init(identity: ProcessIdentity, descriptor: Int32) {
        self.identity = identity
        self.descriptor = descriptor
        self.exit = Mutex(nil)
    }

    deinit {
        close(self.descriptor)
    }

    /// Takes over a process that was started earlier, perhaps by an earlier controller.
    ///
    /// - Returns: Nothing when it has ended, or when its number belongs to another process now.
    package static func adopt(_ identity: ProcessIdentity) -> DetachedProcess? {
        // First the descriptor, then the comparison: the descriptor stays with the process that is compared.
        let descriptor = ctl_pidfd_open(identity.pid)
        guard descriptor >= 0 else { return nil }
        guard let stat = ProcessStat(pid: identity.pid), !stat.isEnded, stat.startTime == identity.startTime,
            identity.bootID == ProcessIdentity.currentBootID
        else {
            close(descriptor)
            return nil
        }
        return DetachedProcess(identity: identity, descriptor: descriptor)
    }

    /// Whether it still runs. A zombie does not.
    package var isRunning: Bool {
        ctl_pidfd_ended(self.descriptor) == 0
    }

    /// Waits for the end of the process.
    ///
    /// - Returns: How it ended; nothing when the task was cancelled before.
    package func waitUntilExit() async -> ProcessExit? {
        if self.isRunning { await self.waitUntilEnded() }
        for _ in 0..<Self.statusPolls.count where !self.isRunning {
            if let exit = self.settledExit() { return exit }
            // A cancelled sleep ends the wait below.
            try? await Task.sleep(for: Self.statusPolls.every)
            if Task.isCancelled { return nil }
        }
        guard !self.isRunning else { return nil }
        return self.exit.withLock { exit in
            if exit == nil { exit = .unknown }
            return exit
        }
    }

    /// Sends a signal to the process, or to its whole group. Harmless when that has ended.
    ///
    /// - Throws: `spawnFailed` when the kernel does not permit it.
    package func signal(_ number: Int32, group: Bool = false) throws(PlatformError) {
        guard group else {
            let error = ctl_pidfd_signal(self.descriptor, number)
            if error != 0, error != ESRCH { throw self.refused(number, error) }
            return
        }
        guard !self.numberWasReused else { return }
        if kill(-self.identity.pid, number) != 0, errno != ESRCH { throw self.refused(number, errno) }
    }

    /// Whether nothing of the process and of what it started in its group runs any more.
    package var groupIsEmpty: Bool {
        if self.isRunning { return false }
        _ = self.settledExit()
        if self.numberWasReused { return true }
        if kill(-self.identity.pid, 0) != 0, errno == ESRCH { return true }
        // Zombies keep a group alive until their parent looks; they count as ended.
        guard let all = ProcessStat.allProcesses() else { return false }
        return !all.contains { pid in
            guard let stat = ProcessStat(pid: pid) else { return false }
            return stat.group == self.identity.pid && !stat.isEnded
        }
    }

    /// The number belongs to another process now: so the group that had it is gone too.
    private var numberWasReused: Bool {
        guard let stat = ProcessStat(pid: self.identity.pid) else { return false }
        return stat.startTime != self.identity.startTime
    }

    /// Reaps the process if it is our child and has ended.
    private func settledExit() -> ProcessExit? {
        self.exit.withLock { exit in
            if let exit { return exit }
            var (code, signal): (Int32, Int32) = (0, 0)
            var result = ctl_pidfd_reap(self.descriptor, &code, &signal)
            if result == ECHILD { result = ctl_pidfd_exit_status(self.descriptor, &code, &signal) }
            switch result {
            case 0: exit = signal == 0 ? .code(code) : .signal(signal)
            case EAGAIN, ENODATA: break
            default: exit = .unknown
            }
            return exit
        }
    }

    /// Returns when the process has ended or the task is cancelled. No thread waits.
    private func waitUntilEnded() async {
        let source = ReadSource(of: self.descriptor, queue: Self.queue)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                source.activate { continuation.resume() }
            }
        } onCancel: {
            source.cancel()
        }
        // The descriptor must stay open until the source is gone.
        withExtendedLifetime(self) {}
    }

    private func refused(_ number: Int32, _ error: Int32) -> PlatformError {
        PlatformError(
            code: .spawnFailed,
            message: """
                signal \(number) to process \(self.identity.pid): \(String(cString: strerror(error))): it runs as \
                another user; end it by hand
                """,
            recovery: .needsOperator
        )
    }
}

extension DetachedProcess {
    /// Starts a process.
    ///
    /// - Throws: `spawnFailed`; for the operator when the program or its folder do not exist or may not be used.
    package static func spawn(_ request: SpawnRequest) throws(PlatformError) -> DetachedProcess {
        let path = try request.resolvedExecutable()
        let environment = request.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let files = [request.workingDirectory, request.logFile].compactMap(\.self)
        let texts = [path] + request.arguments + environment + files
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw PlatformError(
                code: .spawnFailed,
                message: "an argument or a variable of \(path) holds a NUL character: remove it",
                recovery: .needsOperator
            )
        }
        let arguments = CStrings([path] + request.arguments)
        let variables = CStrings(environment)
        let others = CStrings([path, request.workingDirectory ?? "", request.logFile ?? ""])
        var spec = ctl_spec()
        spec.path = UnsafePointer(others.pointers[0])
        spec.cwd = request.workingDirectory == nil ? nil : UnsafePointer(others.pointers[1])
        spec.log = request.logFile == nil ? nil : UnsafePointer(others.pointers[2])
        spec.rlim_as = request.limits.addressSpace ?? 0
        spec.rlim_nofile = request.limits.openFiles ?? 0
        spec.oom_score_adj = Int32(clamping: request.oomScoreAdjustment)
        spec.nice = Int32(clamping: request.nice)
        var (pid, descriptor, stage): (pid_t, Int32, Int32) = (0, -1, 0)
        let error = arguments.pointers.withUnsafeBufferPointer { argv in
            variables.pointers.withUnsafeBufferPointer { envp in
                spec.argv = argv.baseAddress
                spec.envp = envp.baseAddress
                return ctl_spawn(&spec, &pid, &descriptor, &stage)
            }
        }
        withExtendedLifetime((arguments, variables, others)) {}
        guard error == 0 else { throw Self.failure(of: request, path: path, stage: stage, error: error) }
        // Nobody has reaped it yet, so its entry in /proc is there even if it has ended.
        guard let identity = ProcessIdentity(pid: pid) else {
            _ = ctl_pidfd_signal(descriptor, SIGKILL)
            close(descriptor)
            throw PlatformError(
                code: .notObservable,
                message: "/proc/\(pid)/stat cannot be read: mount /proc, without hidepid for this user",
                recovery: .needsOperator
            )
        }
        return DetachedProcess(identity: identity, descriptor: descriptor)
    }

    private static func failure(of request: SpawnRequest, path: String, stage: Int32, error: Int32) -> PlatformError {
        let what =
            switch ctl_stage(UInt32(stage)) {
            case CTL_STAGE_LOG: "opening its log file \(request.logFile ?? "/dev/null")"
            case CTL_STAGE_DIRECTORY: "entering its folder \(request.workingDirectory ?? "")"
            case CTL_STAGE_LIMITS: "setting its resource limits"
            case CTL_STAGE_NICE: "setting its nice value \(request.nice)"
            case CTL_STAGE_OOM: "setting its oom_score_adj \(request.oomScoreAdjustment)"
            case CTL_STAGE_EXEC: "executing it"
            default: "starting a process"
            }
        // These pass; all others (a missing interpreter, a forbidden folder) stay until somebody acts.
        let passing = [EAGAIN, ENOMEM, EMFILE, ENFILE, EINTR, ENOSPC, EDQUOT, ETXTBSY].contains(error)
        return PlatformError(
            code: .spawnFailed,
            message: "\(path): \(what): \(String(cString: strerror(error)))",
            recovery: passing ? .retry : .needsOperator
        )
    }
}

/// Texts as C wants them: pointers, the last one NULL, that live as long as this does.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) {
        self.pointers = texts.map { strdup($0) } + [nil]
    }

    deinit {
        for pointer in self.pointers { free(pointer) }
    }
}

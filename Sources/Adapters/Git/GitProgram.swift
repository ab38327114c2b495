import Glibc
import Reconciliation
import Subprocess

/// Runs `git` as a child that cannot outstay its deadline, fill the disk or ask a question.
struct GitProgram: Sendable {
    struct Output: Sendable {
        /// The exit code; 128 and the signal's number when one ended the program.
        var status: Int32
        var output: String
        var errors: String

        var succeeded: Bool { self.status == 0 }
    }

    private enum Ending: Sendable {
        case finished(Output)
        case failed(SourceError)
        case outOfTime
    }

    let environment: [String: String]
    let label: RepositoryLabel
    /// Bytes of one file that git may write.
    var packBytes: Int

    /// Bytes of each stream that are read; a line or two is what the commands in use print.
    var outputBytes = 256 << 10
    /// Address space, so that a server that sends without end ends git and not this machine.
    private static let memoryBytes = 4 << 30

    /// - Throws: `timedOut` when `deadline` passes or the task is cancelled (the whole process group is killed then),
    ///   `tooLarge` when git prints too much, `notConfigured` when a program is missing.
    func run(
        _ arguments: [String],
        store: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Output {
        let ending = await withTaskGroup(of: Ending.self) { group in
            group.addTask { await self.spawn(["--git-dir=\(store)"] + arguments) }
            group.addTask {
                // Ends early only when it is cancelled, and then nobody waits for it.
                try? await ContinuousClock().sleep(until: deadline)
                return .outOfTime
            }
            let first = await group.next() ?? .outOfTime
            group.cancelAll()
            return first
        }
        switch ending {
        case .finished(let output):
            return output
        case .failed(let error):
            throw error
        case .outOfTime:
            let command = arguments.first ?? "git"
            guard !Task.isCancelled else {
                throw self.label.error(.timedOut, "git \(command) was stopped because the controller is ending", .retry)
            }
            throw self.label.error(
                .timedOut,
                "git \(command) had no answer before the deadline and was ended; nothing changes until one works. "
                    + "Check the server and the network, or raise the repository's timeout",
                .retry
            )
        }
    }

    private func spawn(_ arguments: [String]) async -> Ending {
        var options = PlatformOptions()
        options.createSession = true
        // At once: a transport that is asked politely first may live on after git itself is gone. What this leaves
        // in the store, `StoreDirectory.sweep` removes.
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(1))
        ]
        let limits = [
            "--core=0", "--fsize=\(Self.allowed(self.packBytes, of: RLIMIT_FSIZE))",
            "--as=\(Self.allowed(Self.memoryBytes, of: RLIMIT_AS))", "git",
        ]
        var environment: [Environment.Key: String] = [:]
        for (name, value) in self.environment {
            environment[Environment.Key(stringLiteral: name)] = value
        }
        do {
            let result = try await Subprocess.run(
                .name("prlimit"),
                arguments: Arguments(limits + arguments),
                environment: .custom(environment),
                platformOptions: options,
                output: .bytes(limit: self.outputBytes),
                error: .bytes(limit: self.outputBytes)
            )
            let output = Output(
                status: Self.code(result.terminationStatus),
                output: String(decoding: result.standardOutput, as: UTF8.self),
                errors: String(decoding: result.standardError, as: UTF8.self)
            )
            guard output.status != 127 else {
                return .failed(self.label.error(.notConfigured, "the program git is missing: apt install git"))
            }
            return .finished(output)
        } catch let error as SubprocessError {
            return .failed(self.failure(error))
        } catch {
            return .failed(self.label.error(.unreadable, "git could not be run: \(error)", .retry))
        }
    }

    private func failure(_ error: SubprocessError) -> SourceError {
        switch error.code {
        case .executableNotFound:
            self.label.error(.notConfigured, "the program prlimit is missing: apt install util-linux")
        case .outputLimitExceeded:
            self.label.error(.tooLarge, "git printed more than \(self.outputBytes) bytes and was ended", .retry)
        default:
            self.label.error(.unreachable, "git could not be run: \(error.description)", .retry)
        }
    }

    /// What may be asked for: a limit above the one that this process has is an error.
    private static func allowed(_ wanted: Int, of resource: __rlimit_resource) -> UInt {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return UInt(wanted) }
        return min(UInt(wanted), limit.rlim_max)
    }

    private static func code(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

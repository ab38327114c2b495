import Glibc
import Subprocess

/// A program that runs as a child and cannot outstay its deadline, fill the disk or the memory, or ask a question.
struct BoundedProgram: Sendable {
    struct Output: Sendable {
        /// The exit code; 128 and the signal's number when one ended the program.
        var status: Int32
        var output: String
        var errors: String

        var succeeded: Bool { self.status == 0 }
    }

    enum Ending: Sendable {
        case finished(Output)
        /// The deadline passed; the whole process group was killed.
        case outOfTime
        /// The same, because the task was cancelled.
        case stopped
        /// This program is not on the `PATH`.
        case missing(String)
        case tooMuchOutput
        /// It could not be run.
        case failed(String)
    }

    /// Looked up on the `PATH` of `environment`.
    var name: String
    /// All variables that it gets.
    var environment: [String: String]
    /// Where it runs; nothing for where this process does.
    var directory: String?
    /// Bytes of one file that it may write.
    var fileBytes: Int
    /// Bytes of each stream that are read; a line or two is what the programs in use print.
    var outputBytes = 256 << 10
    /// Address space, so that input without end ends the program and not this machine.
    var memoryBytes = 4 << 30

    /// - Parameters:
    ///   - arguments: Without the program's name.
    ///   - input: A file for its standard input; none when missing.
    ///   - deadline: When it is killed.
    /// - Returns: How it ended; nothing of its process group is left.
    func run(
        _ arguments: [String],
        input: String? = nil,
        until deadline: ContinuousClock.Instant
    ) async -> Ending {
        let ending = await withTaskGroup(of: Ending.self) { group in
            group.addTask { await self.spawn(arguments, input: input) }
            group.addTask {
                // Ends early only when it is cancelled, and then nobody waits for it.
                try? await ContinuousClock().sleep(until: deadline)
                return .outOfTime
            }
            let first = await group.next() ?? .outOfTime
            group.cancelAll()
            return first
        }
        if case .outOfTime = ending, Task.isCancelled { return .stopped }
        return ending
    }

    private func spawn(_ arguments: [String], input: String?) async -> Ending {
        let limits = [
            "--core=0", "--fsize=\(Self.allowed(self.fileBytes, of: RLIMIT_FSIZE))",
            "--as=\(Self.allowed(self.memoryBytes, of: RLIMIT_AS))", self.name,
        ]
        let source = open(input ?? "/dev/null", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return .failed("\(input ?? "/dev/null") cannot be read (errno \(errno))") }
        defer { close(source) }
        let environment = self.variables
        do {
            // By its name, it would cost a process for every folder of PATH that lacks it.
            let program = try await Executable.name("prlimit").resolveExecutablePath(in: environment)
            let result = try await Subprocess.run(
                .path(program),
                arguments: Arguments(limits + arguments),
                environment: environment,
                workingDirectory: self.directory.map { Self.path($0) },
                platformOptions: Self.options,
                input: .fileDescriptor(try Self.descriptor(source), closeAfterSpawningProcess: false),
                output: .bytes(limit: self.outputBytes),
                error: .bytes(limit: self.outputBytes)
            )
            let output = Output(
                status: Self.code(result.terminationStatus),
                output: String(decoding: result.standardOutput, as: UTF8.self),
                errors: String(decoding: result.standardError, as: UTF8.self)
            )
            // Killed from outside, it leaves the programs that it had started; its session is its own.
            if output.status > 128 { kill(-pid_t(result.processIdentifier.value), SIGKILL) }
            return output.status == 127 ? .missing(self.name) : .finished(output)
        } catch let error as SubprocessError {
            switch error.code {
            case .executableNotFound: return .missing("prlimit")
            case .outputLimitExceeded: return .tooMuchOutput
            default: return .failed(error.description)
            }
        } catch {
            return .failed("\(error)")
        }
    }

    private var variables: Environment {
        var variables: [Environment.Key: String] = [:]
        for (name, value) in self.environment {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        return .custom(variables)
    }

    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        // At once: a transport that is asked politely first may live on after git itself is gone. What this leaves
        // in the store, `StoreDirectory.sweep` removes.
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(1))
        ]
        return options
    }

    // Subprocess' types for a path and a descriptor are of a module that is none of this package's dependencies.

    private static func path<Path: ExpressibleByStringLiteral>(_ text: String) -> Path
    where Path.StringLiteralType == String {
        Path(stringLiteral: text)
    }

    private struct NoDescriptor: Error {}

    /// A file, and not bytes for a pipe: Subprocess ends this process when the program is done before all is written
    /// (swiftlang/swift-subprocess#367).
    private static func descriptor<Descriptor: RawRepresentable<CInt>>(_ raw: CInt) throws -> Descriptor {
        guard let descriptor = Descriptor(rawValue: raw) else { throw NoDescriptor() }
        return descriptor
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

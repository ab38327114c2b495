import Reconciliation

/// Runs `git` as a child, and says in words of this product when it does not come to an end of its own.
struct GitProgram: Sendable {
    typealias Output = BoundedProgram.Output

    let environment: [String: String]
    let label: RepositoryLabel
    /// Bytes of one file that git may write.
    var packBytes: Int
    /// Bytes of each stream that are read; a line or two is what the commands in use print.
    var outputBytes = 256 << 10

    /// - Throws: `timedOut` when `deadline` passes or the task is cancelled (the whole process group is killed then),
    ///   `tooLarge` when git prints too much, `notConfigured` when a program is missing.
    func run(
        _ arguments: [String],
        store: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Output {
        var program = BoundedProgram(name: "git", environment: self.environment, fileBytes: self.packBytes)
        program.outputBytes = self.outputBytes
        let command = arguments.first ?? "git"
        switch await program.run(["--git-dir=\(store)"] + arguments, until: deadline) {
        case .finished(let output):
            return output
        case .stopped:
            throw self.label.error(.timedOut, "git \(command) was stopped because the controller is ending", .retry)
        case .outOfTime:
            throw self.label.error(
                .timedOut,
                "git \(command) had no answer before the deadline and was ended; nothing changes until one works. "
                    + "Check the server and the network, or raise the repository's timeout",
                .retry
            )
        case .missing(let program):
            let package = program == "prlimit" ? "util-linux" : program
            throw self.label.error(.notConfigured, "the program \(program) is missing: apt install \(package)")
        case .tooMuchOutput:
            throw self.label.error(.tooLarge, "git printed more than \(self.outputBytes) bytes and was ended", .retry)
        case .failed(let reason):
            throw self.label.error(.unreachable, "git could not be run: \(reason)", .retry)
        }
    }
}

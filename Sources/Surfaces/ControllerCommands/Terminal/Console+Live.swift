import ControllerAPI
import Foundation
import Glibc
import Transport

extension Console {
    /// The real world. How a journal's file is read is the program's to say, as commands know no adapters.
    package static func live(
        openJournal: @escaping JournalOpener = { path, _ in throw Self.unread(path) },
        readRevision: @escaping RevisionReader = { revision, _ in throw Self.unread(revision) },
        fetchPullRequest: @escaping PullRequestFetcher = { number, _, _ in throw Self.unread("\(number)") }
    ) -> Console {
        let http = HTTPClient()
        return Console(
            environment: ProcessInfo.processInfo.environment,
            now: { Date() },
            sleep: { try await Task.sleep(for: $0) },
            output: { try Self.write($0, to: STDOUT_FILENO) },
            remark: { text in
                do {
                    try Self.write(text, to: STDERR_FILENO)
                } catch {
                    // Nobody reads stderr: there is nobody left to tell.
                }
            },
            terminal: { Terminal.attached(to: STDOUT_FILENO) },
            remarksToTerminal: isatty(STDERR_FILENO) == 1,
            connect: { ControllerClient($0, http: http) },
            openJournal: openJournal,
            restoreCursorOnSignals: Self.installCursorRestorer,
            readRevision: readRevision,
            fetchPullRequest: fetchPullRequest,
            keyboard: Self.keyboard,
            secret: Self.readSecret
        )
    }

    private static func readSecret() -> String? {
        var before = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &before) == 0 else { return readLine() }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        return readLine()
    }

    private static var keyboard: (@Sendable () -> String?)? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        return { readLine() }
    }

    private static func unread(_ path: String) -> CommandFailure {
        CommandFailure(code: .usage, message: "this program reads no journal such as \(path): use `controller`")
    }

    private static func write(_ text: String, to descriptor: Int32) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw CommandFailure(
                    code: .refused,
                    message: "cannot write the output: \(String(cString: strerror(errno)))"
                )
            }
            bytes = bytes.dropFirst(written)
        }
    }

    /// Ends the program by the signal itself, so that a shell sees the right status.
    private static func installCursorRestorer() {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            Glibc.signal(signal) { number in
                // Only write, signal and raise may be called here: signal-safety(7).
                let show: StaticString = "\u{1b}[?25h\n"
                Glibc.write(STDOUT_FILENO, show.utf8Start, show.utf8CodeUnitCount)
                Glibc.signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}

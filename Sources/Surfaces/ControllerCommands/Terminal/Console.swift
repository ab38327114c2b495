package import ControllerAPI
package import Deployments
package import Foundation
package import Manifests

/// What a command may use of the world: its two outputs, the terminal, the environment, the clock and the daemon.
package struct Console: Sendable {
    package var environment: [String: String]
    package var now: @Sendable () -> Date
    package var sleep: @Sendable (Duration) async throws -> Void
    /// Writes to stdout: the data.
    package var output: @Sendable (String) throws -> Void
    /// Writes to stderr: everything about the data.
    package var remark: @Sendable (String) -> Void
    /// The terminal that stdout is; nothing when it is a pipe or a file. Asked again for each frame.
    package var terminal: @Sendable () -> Terminal?
    package var remarksToTerminal: Bool
    /// Waits for a line that somebody types, without its end; it gives nothing when there are no more. Nothing when
    /// stdin is no terminal.
    package var keyboard: (@Sendable () -> String?)?
    /// Reads a line from stdin that is not shown while it is typed.
    package var secret: @Sendable () -> String?
    package var connect: @Sendable (_ target: ControllerTarget) -> ControllerClient
    /// Opens a journal's file, to read the decisions of one deployment or of all.
    package var openJournal: JournalOpener
    /// Reads the files of a commit of the repository that the current folder is in.
    package var readRevision: RevisionReader
    /// Fetches a pull request of a remote, and finds where it left a branch.
    package var fetchPullRequest: PullRequestFetcher
    /// Opens an audit's file.
    package var openAudit: @Sendable (_ path: String) throws -> AuditReading = { path in
        throw CommandFailure(code: .usage, message: "this program reads no audit such as \(path): use `controller`")
    }
    /// Makes the signals that end a program show the cursor again first.
    package var restoreCursorOnSignals: @Sendable () -> Void

    /// Gives the next chapter of recorded decisions after a number, as lines of an export; nothing after the last.
    package typealias ChapterSource = @Sendable (_ after: Int64) async throws -> [UInt8]?
    /// - Throws: A `CommandFailure` when there is no such commit, or it holds what is refused.
    package typealias RevisionReader = @Sendable (_ revision: String, _ folder: String) throws -> Revision
    /// - Returns: The ids of the commit that it has in common with `branch`, and of its own last one.
    /// - Throws: A `CommandFailure` when there is no such pull request or branch, or the server does not answer.
    package typealias PullRequestFetcher =
        @Sendable (_ number: Int, _ branch: String, _ remote: String) async throws
        -> (base: String, head: String)
    package typealias JournalOpener = @Sendable (_ path: String, _ deployment: DeploymentID?) throws -> ChapterSource

    /// A commit, and what the daemon would read of it.
    package struct Revision: Sendable {
        package var commit: String
        package var subject: String
        package var files: [SourceFile]

        package init(commit: String, subject: String, files: [SourceFile]) {
            self.commit = commit
            self.subject = subject
            self.files = files
        }
    }

    package init(
        environment: [String: String],
        now: @escaping @Sendable () -> Date,
        sleep: @escaping @Sendable (Duration) async throws -> Void,
        output: @escaping @Sendable (String) throws -> Void,
        remark: @escaping @Sendable (String) -> Void,
        terminal: @escaping @Sendable () -> Terminal?,
        remarksToTerminal: Bool,
        connect: @escaping @Sendable (_ target: ControllerTarget) -> ControllerClient,
        openJournal: @escaping JournalOpener,
        restoreCursorOnSignals: @escaping @Sendable () -> Void,
        readRevision: @escaping RevisionReader,
        fetchPullRequest: @escaping PullRequestFetcher,
        keyboard: (@Sendable () -> String?)? = nil,
        secret: @escaping @Sendable () -> String? = { nil }
    ) {
        self.environment = environment
        self.now = now
        self.sleep = sleep
        self.output = output
        self.remark = remark
        self.terminal = terminal
        self.remarksToTerminal = remarksToTerminal
        self.connect = connect
        self.openJournal = openJournal
        self.restoreCursorOnSignals = restoreCursorOnSignals
        self.readRevision = readRevision
        self.fetchPullRequest = fetchPullRequest
        self.keyboard = keyboard
        self.secret = secret
    }

    /// Whether colours are wanted at all; a pipe never gets any.
    private var allowsColour: Bool {
        // https://no-color.org: any value but the empty one.
        self.environment["NO_COLOR", default: ""].isEmpty && self.environment["TERM", default: ""] != "dumb"
            && self.environment["TERM"] != nil
    }

    package var colour: Bool { self.allowsColour && self.terminal() != nil }

    /// Whether frames can be drawn over each other.
    package var canRedraw: Bool {
        let term = self.environment["TERM", default: ""]
        return !term.isEmpty && term != "dumb" && self.terminal() != nil
    }

    /// Prints lines that are cut to the terminal's width already.
    package func print(_ lines: [StyledText]) throws {
        try self.output(lines.rendered(colour: self.colour))
    }

    package func print(_ line: StyledText) throws {
        try self.print([line])
    }

    /// Tells people something that is not the data asked for.
    package func tell(_ line: StyledText) {
        self.remark([line].rendered(colour: self.allowsColour && self.remarksToTerminal))
    }
}

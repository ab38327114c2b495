import Foundation
package import Reconciliation

extension LocalRevision {
    /// A pull request, and where it left the branch that it is to be merged into.
    package struct PullRequest: Hashable, Sendable {
        /// The commit that both have in common: what is served but for what was merged since.
        package var base: String
        package var head: String
    }

    /// Fetches a pull request of a repository's server into the clone here, which gets no new reference, only objects.
    ///
    /// - Parameters:
    ///   - number: As the forge counts.
    ///   - branch: The watched branch, into which it is to be merged.
    ///   - remote: The server's name or address, as git knows it here, with the user's own settings and credentials.
    ///   - place: A folder of the working tree, or the bare repository.
    ///   - deadline: When git is ended.
    /// - Returns: Full ids, of commits that are here.
    /// - Throws: A `SourceError` that says what to do.
    package static func pullRequest(
        _ number: Int,
        into branch: String,
        of remote: String,
        at place: String,
        until deadline: ContinuousClock.Instant = .now + .seconds(120)
    ) async throws(SourceError) -> PullRequest {
        guard BranchName.isValid(branch) else { throw Self.refused("\(Self.shown(branch)) is no name of a branch") }
        // GitHub's and Gitea's name, and GitLab's.
        let names = ["refs/pull/\(number)/head", "refs/merge-requests/\(number)/head"]
        let base = "refs/heads/\(branch)"
        let listed: String
        do throws(SourceError) {
            listed = try await Self.git(["ls-remote", "--quiet", "--", remote, base] + names, at: place, deadline)
        } catch {
            guard error.code == .refused else { throw error }
            let advice = "say with --remote where pull requests are, as `git remote -v` shows it"
            throw Self.refused(
                "\(Self.shown(remote)) cannot be asked for its pull requests: \(advice). \(error.message)"
            )
        }
        var ids: [Substring: String] = [:]
        for line in listed.split(separator: "\n") {
            let parts = line.split(separator: "\t")
            if parts.count == 2, let id = ObjectID(parts[0]) { ids[parts[1]] = id.text }
        }
        guard let start = ids[base[...]] else {
            throw Self.refused(
                "\(Self.shown(remote)) has no branch \(Self.shown(branch)): say with --branch which is watched"
            )
        }
        guard let name = names.first(where: { ids[$0[...]] != nil }), let head = ids[name[...]] else {
            throw Self.refused(
                "\(Self.shown(remote)) has no pull request \(number): neither \(names[0]) nor \(names[1])"
            )
        }
        let options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap="]
        _ = try await Self.git(["fetch"] + options + ["--", remote, base, name], at: place, deadline)
        let common = try await Self.git(["merge-base", start, head], at: place, deadline, mayFail: true)
        guard let id = ObjectID(common.split(separator: "\n").first ?? "") else {
            throw Self.refused(
                "pull request \(number) and \(Self.shown(branch)) have no commit in common here: fetch the whole "
                    + "history (`git fetch --unshallow`; in continuous integration, `fetch-depth: 0`)"
            )
        }
        return PullRequest(base: id.text, head: head)
    }

    private static func git(
        _ arguments: [String],
        at place: String,
        _ deadline: ContinuousClock.Instant,
        mayFail: Bool = false
    ) async throws(SourceError) -> String {
        // The user's own git, in the user's own clone; but nobody is there to answer a question.
        var environment = ProcessInfo.processInfo.environment
        environment["GIT_TERMINAL_PROMPT"] = "0"
        environment["LC_ALL"] = "C"
        let program = BoundedProgram(name: "git", environment: environment, fileBytes: GitLimits().packBytes)
        let command = arguments.first ?? ""
        switch await program.run(["-C", place] + arguments, until: deadline) {
        case .finished(let output):
            if output.succeeded { return output.output }
            if mayFail { return "" }
            throw Self.refused("git \(command) failed: \(GitFailure.said(output))")
        case .outOfTime: throw Self.error(.timedOut, "git \(command) had no answer in time and was ended")
        case .stopped: throw Self.error(.timedOut, "git \(command) was stopped")
        case .missing(let name): throw Self.error(.notConfigured, "the program \(name) is missing")
        case .tooMuchOutput: throw Self.error(.tooLarge, "git \(command) printed too much and was ended")
        case .failed(let reason): throw Self.error(.unreadable, "git \(command) could not be run: \(reason)")
        }
    }

    private static func refused(_ message: String) -> SourceError { Self.error(.refused, message) }

    private static func shown(_ text: String) -> String { PrintableText.line(text, limit: 100) }
}

import Reconciliation

/// What git said when it failed, in words of this product.
///
/// git has one exit code for all that goes wrong with a remote, so its text, in the C locale, is all there is to tell
/// a wrong token from a cable that is out. Text that is not known here is handed on as it is.
struct GitFailure {
    private struct Rule {
        var sayings: [String]
        var code: SourceError.Code
        var recovery: Recovery
        var advice: String
    }

    /// The first that fits counts.
    private static let rules: [Rule] = [
        Rule(
            sayings: ["Host key verification failed"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server's ssh host key is not in the known hosts file, or not the one there. Compare the "
                + "server's fingerprint with what its operators publish, then add the line that ssh-keyscan prints"
        ),
        Rule(
            sayings: [
                "Authentication failed", "could not read Username", "could not read Password", "Permission denied",
                "returned error: 401", "returned error: 403", "HTTP 403", "bad permissions", "unable to read askpass",
            ],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server does not accept the credentials. Check the token or key file, and that it may read "
                + "this repository (and write, for notes)"
        ),
        Rule(
            sayings: ["returned error: 30", "unable to update url base from redirection"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server redirects to another address, which is not followed because it could carry the "
                + "token elsewhere. Write the address that it redirects to"
        ),
        Rule(
            // What GnuTLS says of the server's "certificate required", and of whatever else ends a handshake.
            sayings: ["certificate required", "TLS fatal alert has been received"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server ended the handshake. If it asks for a client certificate, set clientCertificate to one "
                + "that it accepts"
        ),
        Rule(
            sayings: ["does not match target host", "no alternative certificate subject name"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server's certificate is for another host. Write the host that it names into the url"
        ),
        Rule(
            sayings: ["certificate"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the server's certificate is not trusted. Set caFile to the authority that signed it, or renew it "
                + "if it has expired"
        ),
        Rule(
            sayings: ["returned error: 429"],
            code: .unreachable,
            recovery: .retry,
            advice: "the server says that it is asked too often; it is asked again after a longer while. Raise the "
                + "interval of the polls, or let a webhook wake them"
        ),
        Rule(
            sayings: [
                "Could not resolve host", "Connection refused", "Failed to connect", "Couldn't connect", "timed out",
                "No route to host", "Network is unreachable", "Connection reset", "Connection closed", "early EOF",
                "hung up unexpectedly", "Empty reply", "returned error: 5", "Broken pipe",
                "transfer closed", "getpeername() failed",
            ],
            code: .unreachable,
            recovery: .retry,
            advice: "the server cannot be reached; it is asked again at the next poll. Check the server and the network"
        ),
        Rule(
            sayings: ["unadvertised object", "not our ref"],
            code: .refused,
            recovery: .needsOperator,
            advice:
                "the server has no such commit, or does not give it out by its id. Check the id, or watch a branch or "
                + "a tag that leads to it"
        ),
        Rule(
            sayings: ["couldn't find remote ref"],
            code: .branchMissing,
            recovery: .needsOperator,
            advice: "the branch is gone. Restore it, or set another branch"
        ),
        Rule(
            sayings: [
                "does not appear to be a git repository", "epository not found", "not found", "returned error: 404",
                "repository does not exist", "no such repository", "Could not read from remote repository",
            ],
            code: .refused,
            recovery: .needsOperator,
            advice: "there is no such repository, or these credentials may not see it. Check the url"
        ),
        Rule(
            sayings: ["dumb http transport does not support shallow"],
            code: .refused,
            recovery: .needsOperator,
            advice: "the web server offers files and not the git protocol. Serve it with git http-backend"
        ),
        Rule(
            sayings: ["died of signal 25", "File size limit exceeded", "File too large"],
            code: .tooLarge,
            recovery: .needsOperator,
            advice: "the commit brings more than the limit of one pack. \(Self.slim)"
        ),
        Rule(
            sayings: ["No space left on device", "Disk quota exceeded"],
            code: .unreachable,
            recovery: .retry,
            advice: "the disk of the controller's storage is full. Free some space"
        ),
    ]

    /// All that git says when the program that writes the pack is ended by a signal; for any other end, that program
    /// says why first.
    private static let endedByLimit = "fatal: fetch-pack: invalid index-pack output"
    private static let slim = "Keep models and data out of the repository, or raise the limit"

    /// What to throw; its code is `otherwise` for what no rule knows.
    static func error(
        _ command: String,
        _ output: GitProgram.Output,
        label: RepositoryLabel,
        otherwise: SourceError.Code
    ) -> SourceError {
        let said = Self.said(output)
        guard said != Self.endedByLimit else {
            return label.error(.tooLarge, "the fetch was ended by the limit on the size of one pack. \(Self.slim)")
        }
        // 128 and 129 are git's own, for what is fatal and for a wrong call.
        if output.status > 129 {
            return label.error(
                .unreachable,
                "git \(command) was ended by signal \(output.status - 128) from outside and is run again at the next "
                    + "poll. If it happens again, look who ends it; `dmesg` tells of a machine without memory. It had "
                    + "said: \(said)",
                .retry
            )
        }
        // ssh's own line comes before git's general one, and is the more exact.
        let rule = Self.rules.first { rule in rule.sayings.contains { said.contains($0) } }
        guard let rule else {
            return label.error(otherwise, "git \(command) failed with code \(output.status): \(said)", .retry)
        }
        return label.error(rule.code, "\(rule.advice). git \(command) said: \(said)", rule.recovery)
    }

    /// The end of what git printed, on one line.
    static func said(_ output: GitProgram.Output) -> String {
        let lines = output.errors.split(whereSeparator: \.isNewline).suffix(8)
        let text = PrintableText.line(lines.joined(separator: "; "), limit: 600)
        return text.isEmpty ? "nothing" : text
    }
}

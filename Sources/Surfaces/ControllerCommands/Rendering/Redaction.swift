/// Takes out of a text what may be a secret, for people outside to read.
///
/// It looks at how secrets are written, not at which are known: what it must find was never meant to be there.
package struct Redaction {
    package static let mark = "[redacted]"

    // Made once: a log has many lines.
    /// PEM, whatever it holds.
    private let key = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/
    /// `https://user:secret@host`, and the user alone, which is a token as often.
    private let user = /(:\/\/)[^\/\s@"']+@/
    /// `?token=…`, `X-Amz-Signature=…`
    private let parameter =
        /([?&][A-Za-z0-9_.-]*(?:token|key|secret|sig|password|credential)[A-Za-z0-9_.-]*=)[^&\s"']+/.ignoresCase()
    private let scheme = /\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+\/=-]{6,}/.ignoresCase()
    /// `password: …`, `API_TOKEN=…`, `"secret" : "…"`.
    private let assignment =
        #/
        ([A-Za-z0-9_.-]*
            (?:passw|secret|token|api_?-?key|private_key|authorization|cookie)
            [A-Za-z0-9_.-]*)
        ("?\s*[:=]\s*["']?)
        [^\s"',}]+
        /#
        .ignoresCase()
    /// GitHub, GitLab, AWS, Google, Slack, OpenAI and Hugging Face keys, and JSON web tokens.
    private let known = [
        /gh[pousr]_[A-Za-z0-9]{20,}/, /github_pat_\w{20,}/, /gl[a-z]{2,6}-[\w-]{20,}/, /(?:AKIA|ASIA)[A-Z0-9]{16}/,
        /AIza[\w-]{35}/, /xox[abprs]-[\w-]{10,}/, /sk-[\w-]{20,}/, /hf_[A-Za-z0-9]{20,}/,
        /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/,
    ]

    package init() {}

    package func redacted(_ text: String) -> String {
        let text = text.replacing(self.key, with: Self.mark)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { self.redacted(line: String($0)) }
            .joined(separator: "\n")
    }

    private func redacted(line: String) -> String {
        var line = line.replacing(self.user) { "\($0.1)\(Self.mark)@" }
        line = line.replacing(self.parameter) { "\($0.1)\(Self.mark)" }
        line = line.replacing(self.scheme) { "\($0.1) \(Self.mark)" }
        line = line.replacing(self.assignment) { match in
            // Names of files and of variables say where a secret is, not what it is.
            let name = match.1.lowercased()
            let isPlace = ["file", "variable"].contains { name.hasSuffix($0) }
            return isPlace ? String(match.0) : "\(match.1)\(match.2)\(Self.mark)"
        }
        for pattern in self.known { line = line.replacing(pattern, with: Self.mark) }
        return line
    }
}

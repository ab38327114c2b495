package import ControllerAPI
package import Foundation

/// A command as a form of the page sends it.
package enum PageCommand {
    /// Characters.
    static let longestReason = 500

    /// The largest body of a form, in bytes: a reason of the longest characters, three times for their encoding.
    package static let bodyLimit = 16 * 1024

    static let pauses: [(name: String, words: String, seconds: TimeInterval?)] = [
        ("30m", "30 minutes", 1800), ("1h", "1 hour", 3600), ("4h", "4 hours", 14_400), ("24h", "1 day", 86_400),
        ("", "until somebody resumes", nil),
    ]

    /// - Throws: A `Problem` that says what is wrong with the form.
    package static func request(_ fields: [String: String], now: Date) throws(Problem) -> OperatorRequest {
        guard let verb = fields["verb"].flatMap(OperatorRequest.Verb.init), verb != .prune else {
            throw Self.problem("the form names no command of this page")
        }
        let why = (fields["why"] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !why.isEmpty else { throw Self.problem("give a reason: it stands in the history") }
        guard why.count <= Self.longestReason else {
            throw Self.problem("the reason may have at most \(Self.longestReason) characters: shorten it")
        }
        var request = OperatorRequest(verb: verb, why: why)
        switch verb {
        case .pause:
            guard let pause = Self.pauses.first(where: { $0.name == fields["for"] ?? "" }) else {
                throw Self.problem("choose one of the times to pause for")
            }
            request.until = pause.seconds.map { now.addingTimeInterval($0) }
        case .promote:
            request.full = fields["full"] == "1"
        case .rollback:
            let revision = (fields["to"] ?? "").trimmingCharacters(in: .whitespaces)
            guard revision.isEmpty || revision.wholeMatch(of: /[0-9a-f]{4,64}/) != nil else {
                throw Self.problem("a revision is named by its digest or the beginning of it, at least 4 digits")
            }
            request.to = revision.isEmpty ? nil : revision
        case .resume, .abort, .retry, .prune:
            break
        }
        return request
    }

    private static func problem(_ detail: String) -> Problem {
        Problem(status: 400, title: "Not a command", detail: "Nothing was done: \(detail).")
    }
}

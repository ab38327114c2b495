/// What one check found, and what to do about it.
struct Finding: Codable, Hashable, Sendable {
    enum Level: String, Codable, Hashable, Sendable {
        case ok, warning, error
    }

    var level: Level
    /// What was looked at, in a word or two: `git models`.
    var subject: String
    var text: String

    static func ok(_ subject: String, _ text: String) -> Finding { Finding(level: .ok, subject: subject, text: text) }

    static func warning(_ subject: String, _ text: String) -> Finding {
        Finding(level: .warning, subject: subject, text: text)
    }

    static func error(_ subject: String, _ text: String) -> Finding {
        Finding(level: .error, subject: subject, text: text)
    }
}

/// Why a request was not answered, as `application/problem+json` (RFC 9457).
package struct Problem: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    package static let mediaType = "application/problem+json"

    package var type: String
    package var title: String
    /// The HTTP status.
    package var status: Int
    /// What happened and what to do, for people.
    package var detail: String

    package init(status: Int, title: String, detail: String) {
        self.type = "about:blank"
        self.status = status
        self.title = title
        self.detail = detail
    }

    package var description: String { self.detail }

    /// The problem of a name that no deployment has.
    package static func unknownDeployment(_ name: String, known: [String]) -> Problem {
        let suggestion = NearestName.suggestion(for: name, among: known)
        return Problem(
            status: 404,
            title: "Unknown deployment",
            detail: "there is no deployment \(name)\(suggestion) (`controller get` lists them all)"
        )
    }
}

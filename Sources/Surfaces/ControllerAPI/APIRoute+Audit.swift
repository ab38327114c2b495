import Foundation

extension APIRoute {
    package static let auditLimit = 1000

    package static let auditHead = "\(Self.root)/audit/head"
    package static let freezes = "\(Self.root)/freezes"

    package static func audit(_ filter: AuditFilter) -> String {
        let values = [
            ("after", filter.after.map { "\($0)" }), ("deployment", filter.deployment), ("by", filter.by),
            ("action", filter.action), ("since", filter.since.map(APICoding.text)),
        ]
        return "\(Self.root)/audit?limit=\(filter.limit)" + Self.query(values)
    }

    /// After the last entry that was checked, or from the first that is kept on; with one that was noted elsewhere.
    package static func auditCheck(after place: String?, expecting expected: String?) -> String {
        "\(Self.root)/audit/check?" + Self.query([("after", place), ("expect", expected)]).dropFirst()
    }

    package static func freeze(_ id: Int64, by: String, why: String) -> String {
        "\(Self.freezes)/\(id)?" + Self.query([("by", by), ("why", why)]).dropFirst()
    }

    private static func query(_ values: [(String, String?)]) -> String {
        values.map { name, value in value.map { "&\(name)=\(Self.encoded($0))" } ?? "" }.joined()
    }
}

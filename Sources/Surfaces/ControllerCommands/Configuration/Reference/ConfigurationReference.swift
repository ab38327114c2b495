package import Manifests

/// The reference of the configuration file: what docs/reference/configuration.md has of every setting.
package enum ConfigurationReference {
    /// A mapping of the file, as it is written down, and where it may stand.
    package struct Section: Hashable, Sendable {
        package var shape: Shape
        /// `repositories[].deletion`, or several with commas.
        package var place: String
    }

    /// In the order of the file.
    package static let sections: [Section] = [
        Section(shape: .configuration, place: ""), Section(shape: .repository, place: "repositories[]"),
        Section(shape: .signatures, place: "repositories[].signatures"),
        Section(shape: .signaturePath, place: "repositories[].signatures.paths[]"),
        Section(shape: .deletion, place: "repositories[].deletion"),
        Section(shape: .credentials, place: "repositories[].credentials"),
        Section(shape: .clientCertificate, place: "repositories[].clientCertificate"),
        Section(shape: .webhook, place: "repositories[].webhook"),
        Section(shape: .forge, place: "repositories[].forge"),
        Section(shape: .gitCredential, place: "gitCredentials[]"),
        Section(
            shape: .gitHubApp,
            place: "repositories[].credentials.gitHubApp, repositories[].forge.gitHubApp, gitCredentials[].gitHubApp"
        ),
        Section(shape: .provider, place: "providers[]"), Section(shape: .webhooks, place: "webhooks"),
        Section(shape: .metrics, place: "metrics"), Section(shape: .artifacts, place: "artifacts"),
        Section(shape: .modelRegistry, place: "modelRegistry"), Section(shape: .modelUpdate, place: "modelUpdates[]"),
        Section(shape: .api, place: "api"), Section(shape: .oidc, place: "api.oidc"),
        Section(shape: .apiAccess, place: "api.access[]"), Section(shape: .local, place: "local"),
        Section(shape: .capacity, place: "local.capacity"),
        Section(shape: .journal, place: "journal"), Section(shape: .audit, place: "audit"),
        Section(shape: .jobs, place: "jobs"),
        Section(shape: .notifications, place: "notifications"),
        Section(shape: .receiver, place: "notifications.receivers[]"),
        Section(shape: .notificationRoute, place: "notifications.routes[]"),
    ]

    /// One setting, with what its mapping says of it.
    package struct Row: Codable, Hashable, Sendable {
        /// Where it stands: `repositories[].interval`; several where a mapping has several places.
        package var settings: [String]
        package var kind: String
        package var isRequired: Bool
        package var standard: String?
        package var example: String
        package var text: String

        enum CodingKeys: String, CodingKey {
            case settings, kind, example, text
            case isRequired = "required"
            case standard = "default"
        }
    }

    package static func rows(of section: Section) -> [Row] {
        section.shape.fields.map { entry in
            let field = Self.fields["\(section.shape.name).\(entry.name)"]
            return Row(
                settings: section.place.split(separator: ", ", omittingEmptySubsequences: false).map {
                    $0.isEmpty ? entry.name : "\($0).\(entry.name)"
                },
                kind: field?.kind.rawValue ?? "",
                isRequired: entry.isRequired,
                standard: field?.standard,
                example: entry.example,
                text: field?.text ?? ""
            )
        }
    }

    /// As one would write it; nothing when there is none.
    static func standard(of name: String, in shape: Shape) -> String? {
        Self.fields["\(shape.name).\(name)"]?.standard
    }

    private static let fields = Dictionary(
        ConfigurationField.all.map { ("\($0.shape).\($0.name)", $0) },
        uniquingKeysWith: { first, _ in first }
    )

    /// A table for each mapping, in Markdown.
    package static var markdown: String {
        self.sections.map { section in
            let title = section.place.isEmpty ? "The file" : section.place
            let rows = Self.rows(of: section).map { row in
                let name = row.settings[0].split(separator: ".").last.map(String.init) ?? ""
                let standard = row.isRequired ? "**required**" : row.standard.map { "`\($0)`" } ?? "–"
                return "| `\(name)` | \(row.kind) | \(standard) | `\(row.example)` | \(row.text) |"
            }
            let head = "| setting | kind | default | example | meaning |\n| --- | --- | --- | --- | --- |"
            return "### \(title)\n\n\(head)\n\(rows.joined(separator: "\n"))\n"
        }.joined(separator: "\n")
    }
}

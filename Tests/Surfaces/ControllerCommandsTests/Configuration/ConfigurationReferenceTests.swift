import ControllerCommands
import Foundation
import Manifests
import Testing

@Suite("The reference of the configuration")
struct ConfigurationReferenceTests {
    private func read(_ text: String) throws -> Configuration {
        var configuration = try Configuration(reading: Array(text.utf8), path: "c.yaml")
        // They name places, which are others when something is added.
        configuration.warnings = []
        return configuration
    }

    @Test
    func `every setting that the decoder knows is in the reference, and no other`() {
        let known = Shape.configurationShapes.flatMap { shape in shape.names.map { "\(shape.name).\($0)" } }
        let described = ConfigurationField.all.map { "\($0.shape).\($0.name)" }
        #expect(Set(described) == Set(known), "\(Set(described).symmetricDifference(known))")
        #expect(described.count == known.count)
        let sections = ConfigurationReference.sections.map(\.shape)
        #expect(Set(sections) == Set(Shape.configurationShapes))
    }

    @Test
    func `the documentation holds what the program prints`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "docs/reference/configuration.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(text.firstRange(of: "<!-- begin: controller config reference -->\n\n"))
        let end = try #require(text.firstRange(of: "\n<!-- end: controller config reference -->"))
        try #require(begin.upperBound <= end.lowerBound)
        let wanted = ConfigurationReference.markdown
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try Data((text[..<begin.upperBound] + wanted + text[end.lowerBound...]).utf8).write(to: file)
        } else {
            #expect(text[begin.upperBound..<end.lowerBound] == wanted[...], "make golden writes it anew")
        }
    }

    private static let repository = "name: models, url: \"https://git.example/models.git\""
    private static let minimal = "repositories: [{\(Self.repository)}]\n"

    /// A file in which each mapping stands, with something added to it.
    private static func file(adding text: String, to place: String) throws -> String {
        func repository(_ more: String) -> String { "repositories: [{\(Self.repository), \(more)}]\n" }
        switch place {
        case "": return "\(text)\n\(Self.minimal)"
        case "repositories[]": return repository(text)
        case "repositories[].signatures", "repositories[].deletion":
            return repository("\(place.dropFirst("repositories[].".count)): {\(text)}")
        case "repositories[].credentials": return repository("credentials: {tokenFile: /t, \(text)}")
        case "repositories[].forge":
            return repository("forge: {kind: gitea, project: team/models, tokenFile: /t, \(text)}")
        case "gitCredentials[]":
            return Self.minimal + "gitCredentials: [{prefix: \"https://git.example/\", tokenFile: /t, \(text)}]\n"
        case "repositories[].credentials.gitHubApp":
            let app = "appID: 1, installationID: 2, privateKeyFile: /k"
            return repository("credentials: {gitHubApp: {\(app), \(text)}}")
        case "providers[]":
            return Self.minimal + "providers: [{name: p, kind: prometheus, url: \"http://p:1\", \(text)}]\n"
        case "modelRegistry": return Self.minimal + "modelRegistry: {url: \"https://m.example\", \(text)}\n"
        case "modelUpdates[]":
            let registry = "modelRegistry: {url: \"https://m.example\"}\n"
            let update = "modelUpdates: [{alias: a, deployments: [x/*], \(text)}]\n"
            return repository("promotions: branch") + registry + update
        case "api", "api.oidc", "api.access[]":
            let oidc = place == "api.oidc" ? ", \(text)" : ""
            // Somebody who is named twice would be an error.
            let access = place == "api.access[]" ? ", \(text)" : ""
            let more = place == "api" ? text : "access: [{users: [a], groups: [b], role: viewer\(access)}]"
            return Self.minimal
                + "api: {listen: \"127.0.0.1:8443\", certificateFile: /c, keyFile: /k, "
                + "oidc: {issuer: \"https://l.example\", audience: c\(oidc)}, \(more)}\n"
        case "artifacts", "local", "journal", "audit": return Self.minimal + "\(place): {\(text)}\n"
        default: throw Unwritten(place: place)
        }
    }

    private struct Unwritten: Error { var place: String }

    @Test
    func `a default that is written down is the one that counts without it`() throws {
        var count = 0
        for section in ConfigurationReference.sections {
            let place = section.place.split(separator: ", ").first.map(String.init) ?? ""
            for row in ConfigurationReference.rows(of: section) {
                guard let standard = row.standard else { continue }
                let name = try #require(row.settings[0].split(separator: ".").last)
                let value = standard.contains(":") ? "\"\(standard)\"" : standard
                let written = try Self.file(adding: "\(name): \(value)", to: place)
                let left = try Self.file(adding: "", to: place)
                #expect(try self.read(written) == self.read(left), "\(row.settings[0]): \(standard)")
                count += 1
            }
        }
        #expect(count > 30)
    }

    @Test
    func `every optional setting's default is said, or there is none`() {
        for section in ConfigurationReference.sections {
            for row in ConfigurationReference.rows(of: section) {
                #expect(!row.text.isEmpty, "\(row.settings)")
                #expect(row.text.hasSuffix("."), "\(row.settings)")
                #expect(!row.isRequired || row.standard == nil, "\(row.settings)")
            }
        }
    }
}

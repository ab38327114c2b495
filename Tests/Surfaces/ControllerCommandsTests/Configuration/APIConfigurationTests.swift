import ControllerAPI
import ControllerCommands
import Deployments
import Foundation
import Manifests
import Testing

@Suite("The configuration of the API over TLS")
struct APIConfigurationTests {
    private static let repositories = "repositories: [{name: models, url: \"file:///srv/git/models.git\"}]\n"
    private static let files = "certificateFile: /c.pem, keyFile: /k.pem"

    private func read(_ text: String) throws -> Configuration {
        try Configuration(reading: Array((Self.repositories + text).utf8), path: "c.yaml")
    }

    @Test
    func `people of an identity provider get what is said of them or their groups`() throws {
        let configuration = try self.read(
            """
            api:
              listen: 0.0.0.0:8443
              certificateFile: /etc/controller/tls.pem
              keyFile: /etc/controller/tls-key.pem
              oidc: {issuer: "https://login.example", audience: controller, nameClaim: email}
              access:
                - {groups: [ml-search], role: operator, namespaces: [search]}
                - {users: [alice@example.com], verbs: [pause, promote-model]}
            """
        )
        let api = try #require(configuration.api)
        #expect(api.listen == SocketAddress(host: "0.0.0.0", port: 8443))
        #expect(api.oidc?.nameClaim == "email")
        #expect(api.oidc?.groupsClaim == "groups")
        #expect(
            api.access.map(\.grant) == [
                Grant(role: .operator, namespaces: ["search"]), Grant(verbs: [.pause, .promoteModel]),
            ]
        )
        #expect(api.access.map(\.users) == [[], ["alice@example.com"]])
        #expect(configuration.warnings.isEmpty)
        #expect(try self.read("").api == nil)
    }

    private static let oidc = "oidc: {issuer: \"https://l.example\", audience: c}"

    @Test(arguments: [
        ("api: {listen: \"127.0.0.1:8443\"}", "`certificateFile` is missing"),
        ("api: {listen: \"127.0.0.1:8080\", \(Self.files)}", "the router or its replicas use port 8080"),
        (
            "metrics: {listen: \"127.0.0.1:8443\"}\napi: {listen: \"127.0.0.1:8443\", \(Self.files)}",
            "webhooks or metrics use 127.0.0.1:8443"
        ),
        (
            "api: {listen: \"127.0.0.1:8443\", \(Self.files), oidc: {issuer: \"http://l.example\", audience: c}}",
            "expected an https URL"
        ),
        ("api: {listen: \"127.0.0.1:8443\", \(Self.files), \(Self.oidc)}", "nobody of it may do anything"),
        (
            "api: {listen: \"127.0.0.1:8443\", \(Self.files), access: [{users: [a], role: admin}]}",
            "add `oidc`, or make tokens instead"
        ),
        ("api: {listen: \"127.0.0.1:8443\", \(Self.files), \(Self.oidc), access: [{role: admin}]}", "about nobody"),
        ("api: {listen: \"127.0.0.1:8443\", \(Self.files), \(Self.oidc), access: [{users: [a]}]}", "allows nothing"),
        (
            "api: {listen: \"127.0.0.1:8443\", \(Self.files), \(Self.oidc), access: [{users: [a], role: root}]}",
            "unknown value `root`"
        ),
        (
            "api: {listen: \"127.0.0.1:8443\", \(Self.files), \(Self.oidc), "
                + "access: [{users: [a], role: admin, namespaces: []}]}",
            "this is nowhere"
        ),
    ])
    func `mistakes are reported with what to do`(text: String, expected: String) throws {
        let problems: [String]
        do {
            problems = try self.read(text).warnings.map(\.message)
        } catch let error as ConfigurationError {
            problems = ["\(error)"]
        }
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }
}

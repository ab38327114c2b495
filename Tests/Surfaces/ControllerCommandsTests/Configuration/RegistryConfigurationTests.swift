import ControllerCommands
import Manifests
import Testing

@Suite("The configuration of the model registry")
struct RegistryConfigurationTests {
    private static let repositories = "repositories: [{name: a, url: \"file:///srv/git/a.git\"}]\n"

    private func read(_ settings: String) throws -> Configuration {
        try Configuration(reading: Array("\(Self.repositories)modelRegistry: {\(settings)}\n".utf8), path: "c.yaml")
    }

    private func problems(_ settings: String) -> [String] {
        do {
            return try self.read(settings).warnings.map(\.description)
        } catch let error as ConfigurationError {
            return error.diagnostics.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test(arguments: [
        ("", Configuration.ModelRegistry.Credentials.none),
        (", tokenFile: /t", .tokenFile("/t")), (", tokenVariable: MLFLOW_TOKEN", .tokenVariable("MLFLOW_TOKEN")),
        (", user: ml, passwordFile: /p", .password(user: "ml", file: "/p")),
    ])
    func `each way to be let in is read`(
        settings: String,
        credentials: Configuration.ModelRegistry.Credentials
    ) throws {
        let registry = try #require(try self.read("url: \"https://mlflow.example/\"\(settings)").modelRegistry)
        #expect(registry.url == "https://mlflow.example")
        #expect(registry.credentials == credentials)
        #expect(registry.timeout == .seconds(30))
        #expect(self.problems("url: \"https://mlflow.example/\"\(settings)").isEmpty)
    }

    @Test
    func `without the setting there is none`() throws {
        #expect(try Configuration(reading: Array(Self.repositories.utf8), path: "c.yaml").modelRegistry == nil)
    }

    @Test(arguments: [
        ("tokenFile: /t", "`url`"),
        ("url: \"https://u:s3cret@h\"", "a secret must not be part of a URL"),
        ("url: \"https://h\", token: s3cret", "name it with `tokenFile`"),
        ("url: \"https://h\", user: u, password: s3cret", "name it with `passwordFile`"),
        ("url: \"https://h\", tokenFile: /t, passwordFile: /p, user: u", "exclude each other"),
        ("url: \"https://h\", tokenFile: /t, user: u", "`user` belongs to `passwordFile`"),
        ("url: \"https://h\", passwordFile: /p", "`user` is missing"),
        ("url: \"https://h\", user: u", "is missing"),
        ("url: \"https://h\", user: \"a:b\", passwordFile: /p", "without a colon"),
        ("url: \"http://h\", caFile: /c", "only for https"),
        ("url: \"http://h\", tokenFile: /t", "warning: modelRegistry.url: credentials travel readable"),
        ("url: \"https://h\", timeout: 0s", "timeout"),
    ])
    func `what does not go together is said`(settings: String, words: String) {
        let problems = self.problems(settings)
        #expect(problems.contains { $0.contains(words) }, "\(problems)")
        #expect(!problems.contains { $0.contains("s3cret") }, "\(problems)")
    }

    @Test
    func `credentials for this machine may travel without https`() {
        #expect(self.problems("url: \"http://127.0.0.1:5000\", tokenFile: /t").isEmpty)
    }
}

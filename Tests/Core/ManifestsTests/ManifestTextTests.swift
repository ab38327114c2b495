import Deployments
import Manifests
import Testing

@Suite("Manifest text")
struct ManifestTextTests {
    private static let chat = DeploymentID(namespace: "default", name: "chat")

    private static func manifest(_ name: String, _ version: String) -> String {
        "kind: ModelDeployment  # of \(name)\nmetadata: {name: \(name)}\nspec: {version: \(version)}\n"
    }

    private func text(_ text: String) throws -> ManifestText { try ManifestText(Array(text.utf8)) }

    /// `now` with the manifest of chat in `good`, if it is that of `bad` still.
    private func replaced(_ now: String, by good: String, where bad: String) throws -> String? {
        var text = try self.text(now)
        let isChanged = try text.replace(Self.chat, by: try self.text(good), where: try self.text(bad))
        return isChanged ? String(decoding: text.bytes, as: UTF8.self) : nil
    }

    @Test
    func `a text that nothing is replaced in stays as it is, byte for byte`() throws {
        for text in ["", "\n", "---\n", "a: 1", "# c\n---\na: 1\n--- # d\nb: |\n  ---\n\r\n---\r\nc: 2", "---x\n"] {
            #expect(String(decoding: try self.text(text).bytes, as: UTF8.self) == text)
        }
    }

    @Test
    func `a file of one manifest becomes what it was`() throws {
        let (good, bad) = (Self.manifest("chat", "1"), "# new\n" + Self.manifest("chat", "2"))
        #expect(try self.replaced(bad, by: good, where: bad) == good)
    }

    @Test
    func `of a file of several, only the deployment's own changes`() throws {
        let other = "# others\n" + Self.manifest("search", "7")
        let (good, bad) = (Self.manifest("chat", "1"), Self.manifest("chat", "2"))
        let now = "# head\n---\n\(bad)---\n\(other)"
        #expect(try self.replaced(now, by: good, where: bad) == "# head\n---\n\(good)---\n\(other)")
        #expect(
            try self.replaced(now, by: "---\n\(other)---\n\(good)", where: now) == "# head\n---\n\(good)---\n\(other)"
        )
    }

    @Test
    func `a manifest without a line end does not swallow the next one`() throws {
        let good = "{kind: ModelDeployment, metadata: {name: chat}, spec: {version: 1}}"
        let bad = Self.manifest("chat", "2")
        let other = Self.manifest("search", "7")
        #expect(try self.replaced("\(bad)---\n\(other)", by: good, where: bad) == "\(good)\n---\n\(other)")
    }

    @Test
    func `the same text is nothing to replace`() throws {
        let manifest = Self.manifest("chat", "1")
        #expect(try self.replaced(manifest, by: "---\n" + manifest, where: Self.manifest("chat", "2")) == nil)
    }

    @Test
    func `what somebody changed since is not replaced`() throws {
        let (good, bad) = (Self.manifest("chat", "1"), Self.manifest("chat", "2"))
        #expect(throws: ManifestText.Refusal(reason: "was changed since")) {
            try self.replaced(Self.manifest("chat", "3"), by: good, where: bad)
        }
    }

    @Test
    func `a manifest that is missing, or there twice, is not replaced`() throws {
        let (good, bad) = (Self.manifest("chat", "1"), Self.manifest("chat", "2"))
        #expect(throws: ManifestText.Refusal(reason: "does not hold default/chat")) {
            try self.replaced(Self.manifest("search", "1"), by: good, where: bad)
        }
        #expect(throws: ManifestText.Refusal(reason: "does not hold default/chat")) {
            try self.replaced(bad, by: Self.manifest("search", "1"), where: bad)
        }
        #expect(throws: ManifestText.Refusal(reason: "holds default/chat more than once")) {
            try self.replaced(bad + "---\n" + bad, by: good, where: bad)
        }
    }

    @Test
    func `marks that leave open where a document begins are refused`() {
        for text in ["a: 1\n...\nb: 2\n", "%YAML 1.2\n---\na: 1\n", "a: [\n"] {
            #expect(throws: ManifestText.Refusal.self) { try self.text(text) }
        }
    }
}

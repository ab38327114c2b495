import Deployments
import Manifests
import Testing

@Suite("Promotion in a manifest's text")
struct PromotionTextTests {
    private static let id = DeploymentID(namespace: "search", name: "file-type")
    private static let old = "sha256:" + String(repeating: "a", count: 64)
    private static let new = "sha256:" + String(repeating: "b", count: 64)

    private static func promotion(_ version: String = "8", digest: String? = Self.new) -> ModelPromotion {
        ModelPromotion(
            mode: .branch,
            manifest: CommitReference(repository: "models", branch: "main", commit: "c0", path: "a/b.yaml"),
            model: "magika",
            previous: "models:/magika/7",
            version: version,
            digest: digest,
            reason: "a test"
        )
    }

    private static let head = "kind: ModelDeployment\nmetadata: {name: file-type, namespace: search}\n"

    private func promoted(
        _ text: String,
        _ promotion: ModelPromotion = Self.promotion()
    ) throws -> String? {
        var manifest = try ManifestText(Array(text.utf8))
        let isChanged = try manifest.promote(Self.id, to: promotion)
        return isChanged ? String(decoding: manifest.bytes, as: UTF8.self) : nil
    }

    /// Each text as it was, and as it is to be: version 7 and digest a become 8 and b.
    static let layouts: [(was: String, becomes: String)] = [
        // Quotes stay, and comments.
        (
            "spec:\n  # ours\n  model:\n    name: magika\n    version: \"7\"   # the champion\n    format: onnx\n"
                + "    uri: models:/magika/7  # of MLflow\n    digest: OLD # pinned\n  replicas: 2\n",
            "spec:\n  # ours\n  model:\n    name: magika\n    version: \"8\"   # the champion\n    format: onnx\n"
                + "    uri: models:/magika/8  # of MLflow\n    digest: NEW # pinned\n  replicas: 2\n"
        ),
        (
            "spec:\n  model:\n    uri: 'models:/magika/7'\n    version: '7'\n    digest: 'OLD'\n",
            "spec:\n  model:\n    uri: 'models:/magika/8'\n    version: '8'\n    digest: 'NEW'\n"
        ),
        // In braces, on one line and on several.
        (
            "spec: {model: {name: magika, version: \"7\", uri: models:/magika/7, digest: \"OLD\"}, replicas: 1} # x\n",
            "spec: {model: {name: magika, version: \"8\", uri: models:/magika/8, digest: \"NEW\"}, replicas: 1} # x\n"
        ),
        (
            "spec:\n  model: {\n    version: \"7\",\n    uri: \"models:/magika/7\" , # seven\n  }\n",
            "spec:\n  model: {\n    version: \"8\",\n    uri: \"models:/magika/8\", digest: \"NEW\" , # seven\n  }\n"
        ),
        // A digest that is not there comes behind the URI, as it is quoted.
        (
            "spec:\n  model:\n      uri: \"models:/magika/7\" # of MLflow\n\n      version: \"7\"\n",
            "spec:\n  model:\n      uri: \"models:/magika/8\" # of MLflow\n      digest: \"NEW\"\n\n"
                + "      version: \"8\"\n"
        ),
        (
            "spec:\n  model:\n    version: '7'\n    uri: models:/magika/7",
            "spec:\n  model:\n    version: '8'\n    uri: models:/magika/8\n    digest: NEW"
        ),
        // A version without quotes gets some where it would be a number.
        (
            "spec: {model: {version: v7, uri: models:/magika/7}}\n",
            "spec: {model: {version: \"8\", uri: models:/magika/8, digest: NEW}}\n"
        ),
        // Windows' line ends, a mark with a comment, wide characters before, members in any order, quoted keys.
        (
            "spec:\r\n  model:\r\n    version: \"7\"\r\n    uri: models:/magika/7\r\n  replicas: 1\r\n",
            "spec:\r\n  model:\r\n    version: \"8\"\r\n    uri: models:/magika/8\r\n    digest: NEW\r\n"
                + "  replicas: 1\r\n"
        ),
        (
            "spec: {parameters: {greeting: \"日本語 😀 ä\"}, model: {\"digest\": OLD, \"uri\": models:/magika/7,"
                + " version: \"7\"}}\n",
            "spec: {parameters: {greeting: \"日本語 😀 ä\"}, model: {\"digest\": NEW, \"uri\": models:/magika/8,"
                + " version: \"8\"}}\n"
        ),
        (
            "spec:\n  rollout: {steps: [{weight: 7}]}\n  model:\n    version:   \"7\"\n    uri:\n"
                + "      models:/magika/7\n    digest: OLD\n",
            "spec:\n  rollout: {steps: [{weight: 7}]}\n  model:\n    version:   \"8\"\n    uri:\n"
                + "      models:/magika/8\n    digest: NEW\n"
        ),
    ]

    private static func filled(_ text: String) -> String {
        text.replacing("OLD", with: Self.old).replacing("NEW", with: Self.new)
    }

    /// Alone, and between others, behind a byte order mark and a mark with a comment.
    @Test(arguments: Self.layouts.indices)
    func `version, URI and digest change in their places, and nothing else`(index: Int) throws {
        let layout = Self.layouts[index]
        let (was, becomes) = (Self.head + Self.filled(layout.was), Self.head + Self.filled(layout.becomes))
        #expect(try self.promoted(was) == becomes)
        // What was done needs not be done again.
        #expect(try self.promoted(becomes) == nil)
        let other = Self.head.replacing("file-type", with: "other") + Self.filled(layout.was)
        let between = { (text: String) in
            "\u{FEFF}# owners: ä, ö\n--- # first\n\(other)\n--- # second\n\(text)\n---\n# end\n\(other)"
        }
        #expect(try self.promoted(between(was)) == between(becomes))
        #expect(try self.promoted("\u{FEFF}" + was) == "\u{FEFF}" + becomes)
    }

    /// Every combination of quotes, order, style and rests of lines.
    @Test
    func `of many layouts, what is read afterwards differs in these values only`() throws {
        var count = 0
        for quote in ["", "\"", "'"] {
            for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 1], [1, 0]] {
                for (open, join, close, indent) in [
                    ("", "\n", "\n", "    "), ("", " # : , {\n", "\n", "      "), ("{", ", ", "}\n", ""),
                    ("{ ", " ,\n        ", " }\n", ""), ("{", ",", ",}\n", ""),
                ] {
                    for digest in [Self.new, nil] {
                        let text = { (version: String, digest: String?) in
                            let all = [
                                "version: \(quote.isEmpty ? "\"" : quote)\(version)\(quote.isEmpty ? "\"" : quote)",
                                "uri: \(quote)models:/magika/\(version)\(quote)",
                                digest.map { "digest: \(quote)\($0)\(quote)" } ?? "",
                            ]
                            let members = order.map { all[$0] }.filter { !$0.isEmpty }.map { indent + $0 }
                            let body = open + (open.isEmpty ? "\n" : "") + members.joined(separator: join) + close
                            return Self.head + "spec:\n  model: " + body + "  replicas: 3\n"
                        }
                        let hasDigest = order.contains(2)
                        let was = text("7", hasDigest ? Self.old : nil)
                        let now = try #require(try self.promoted(was, Self.promotion(digest: digest)), "\(was)")
                        // A digest that was there stays in its place.
                        if hasDigest, digest != nil { #expect(now == text("8", Self.new)) }
                        #expect(now.contains(Self.new) == (digest != nil), "\(was)\n\(now)")
                        #expect(!now.contains(Self.old))
                        #expect(now.hasPrefix(Self.head) && now.hasSuffix("  replicas: 3\n"))
                        let back = ModelPromotion(
                            mode: .branch,
                            manifest: Self.promotion().manifest,
                            model: "magika",
                            previous: "models:/magika/8",
                            version: "7",
                            digest: hasDigest ? Self.old : nil,
                            reason: ""
                        )
                        // There and back is nowhere, where no digest came or went.
                        if hasDigest == (digest != nil) { #expect(try self.promoted(now, back) == was) }
                        count += 1
                    }
                }
            }
        }
        #expect(count == 180)
    }

    @Test(arguments: [
        ("spec: {model: &m {version: \"7\", uri: models:/magika/7}}\n", "anchors are not allowed"),
        ("spec: {model: {version: !!str 7, uri: models:/magika/7}}\n", "tags are not allowed"),
        ("spec:\n  model:\n    version: |-\n      7\n    uri: models:/magika/7\n", "without changing more"),
        ("spec:\n  model:\n    version: \"7\"\n    uri: \"models:/mag\\x69ka/7\"\n", "without changing more"),
        ("spec:\n  model:\n    version: \"7\"\n    uri: https://models.example/m\n", "models:/magika/7 any more"),
        ("spec:\n  model:\n    version: \"9\"\n    uri: models:/magika/9\n", "was changed since"),
        ("spec:\n  model:\n    version: \"7\"\n    uri: models:/other/7\n", "was changed since"),
        ("spec:\n  model:\n    uri: models:/magika/7\n", "has no `spec.model.version`"),
        ("spec: {replicas: 1}\n", "has no `spec.model.version`"),
        ("spec: {model: [\"7\"]}\n", "has no `spec.model.version`"),
    ])
    func `what cannot be changed exactly is refused, and says why`(text: String, reason: String) throws {
        let refusal = #expect(throws: ManifestText.Refusal.self) { try self.promoted(Self.head + text) }
        #expect(refusal?.reason.contains(reason) == true, "\(refusal?.reason ?? "")")
    }

    @Test
    func `an alias becomes the version that it names`() throws {
        var promotion = Self.promotion(digest: nil)
        promotion.previous = "models:/magika@champion"
        let was = Self.head + "spec: {model: {version: \"champion\", uri: \"models:/magika@champion\"}} # follows\n"
        let becomes = Self.head + "spec: {model: {version: \"8\", uri: \"models:/magika/8\"}} # follows\n"
        #expect(try self.promoted(was, promotion) == becomes)
    }

    @Test
    func `without a digest the old one goes, as it is of other bytes`() throws {
        let was =
            Self.head
            + Self.filled("spec:\n  model:\n    version: \"7\"\n    digest: OLD # of 7\n    uri: models:/magika/7\n")
        let becomes = Self.head + "spec:\n  model:\n    version: \"8\"\n    uri: models:/magika/8\n"
        #expect(try self.promoted(was, Self.promotion(digest: nil)) == becomes)
    }

    @Test(arguments: ["8\n", "8 9", "8\"", "8'", "8#", "é", ""])
    func `a version that no manifest can name is refused`(version: String) {
        let text = Self.head + "spec: {model: {version: \"7\", uri: models:/magika/7}}\n"
        #expect(throws: ManifestText.Refusal.self) { try self.promoted(text, Self.promotion(version)) }
    }
}

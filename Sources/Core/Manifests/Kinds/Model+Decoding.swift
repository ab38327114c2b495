import Deployments

extension Shape {
    static let model = Shape(
        "model",
        [
            .required("name", "magika"),
            .required("version", "\"3.3\""),
            .required("format", "onnx"),
            .required("uri", "https://models.example/magika/3.3.tar.gz"),
            .optional("digest", "sha256:…"),
            .optional("source", "{commit: 9c1d2e4}"),
        ]
    )
}

extension Model {
    init(decoding members: Members) {
        let form = "letters, digits and inner . _ - and +, at most 128"
        let isName = { NameForm.isIdentifier($0, also: "-.+") }
        self.init(
            name: members["name"]?.string(form: form, where: isName) ?? "",
            version: members["version"]?.string(form: form, where: isName) ?? "",
            format: members["format"]?.label() ?? "",
            uri: members["uri"]?.artifactURI() ?? "",
            digest: members["digest"]?.string(
                form: "sha256: and 64 lower-case hexadecimal digits",
                where: Self.isDigest
            )
        )
        self.source =
            members["source"]?.dictionary(
                limit: 32,
                key: { NameForm.isIdentifier($0, also: "-./") },
                keyForm: "letters, digits, and inside also . _ - and /",
                value: { $0.string() }
            ) ?? [:]
        self.warn(members)
    }

    private func warn(_ members: Members) {
        let reference = ModelReference(self.uri)
        if let alias = reference?.alias {
            let message =
                "the alias \(alias.inBackticks) is resolved once: what it means when it is first fetched goes on "
                + "running, wherever the alias is moved. `controller promote-model` puts what it means now into git"
            members["uri"]?.warning(message)
        }
        guard self.digest == nil, members["digest"] == nil else { return }
        if self.uri.hasPrefix("http") {
            let message =
                "without `digest` nobody notices when other bytes appear at this address: add `digest: sha256:…`"
            members["uri"]?.warning(message)
        } else if reference != nil {
            let message =
                "MLflow keeps no digests, and files of a version can be written over: add `digest: sha256:…`, which "
                + "`controller status` shows once it was fetched"
            members["uri"]?.warning(message)
        }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.hasPrefix("sha256:") && text.utf8.count == 7 + 64
            && text.utf8.dropFirst(7).allSatisfy {
                $0.isDecimalDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

extension Field {
    private static let unavailableSchemes = ["s3", "gs", "hf", "oci", "azure"]

    fileprivate func artifactURI() -> String? {
        guard let uri = self.string(limit: 2048) else { return nil }
        guard !Self.authority(of: uri).contains(UInt8(ascii: "@")) else {
            // Not repeated in the message: it may be a password.
            self.error("a URI in git must not carry a user or a password: give them to the daemon's configuration")
            return nil
        }
        guard let colon = uri.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            self.expected("a URI, such as file:///srv/models/m.onnx or https://models.example/m.onnx")
            return nil
        }
        let (scheme, rest) = (String(uri[..<colon]), uri[uri.utf8.index(after: colon)...])
        if scheme == "models" { return self.checked(reference: uri) }
        if Self.unavailableSchemes.contains(scheme) {
            self.error(
                "\(scheme.inBackticks) is not available in this version: use a `file`, `http`, `https` or `models` URI"
            )
            return nil
        }
        guard ["file", "http", "https"].contains(scheme) else {
            let known = ["file", "http", "https", "models"]
            let hint = scheme == "mlflow" ? "write `models:/…`" : NearestName.hint(for: scheme, among: known)
            self.error("unknown scheme \(scheme.inBackticks): \(hint)")
            return nil
        }
        guard uri.hasOnly({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }), rest.hasPrefix("//") else {
            self.expected("a URI of printable ASCII, with // after the colon, %20 for a space, and no #")
            return nil
        }
        return self.check(scheme: scheme, rest: rest.dropFirst(2)) ? uri : nil
    }

    /// Of a registered model.
    private func checked(reference uri: String) -> String? {
        if ModelReference(uri) != nil { return uri }
        let parts = uri.dropFirst("models:/".count).split(separator: "/", omittingEmptySubsequences: false)
        let example = "such as `models:/magika/7`, or an alias, such as `models:/magika@champion`"
        if uri.hasPrefix("models:/"), parts.count == 2, ModelReference.isName(String(parts[0])),
            parts[1].first?.isLetter ?? false
        {
            let what = "is no version, and stages and `latest` would change what runs without a commit"
            self.error("\(String(parts[1]).inBackticks) \(what): name a version, \(example)")
        } else {
            self.error(
                "expected models:/NAME/VERSION or models:/NAME@ALIAS, found \(uri.inBackticks): a name of letters, "
                    + "digits and inner . _ - and +, a version from 1 on, an alias of letters, digits, _ and -, "
                    + "neither `latest` nor like `v7`; \(example)"
            )
        }
        return nil
    }

    /// What stands between `://` and the next slash.
    private static func authority(of uri: String) -> Substring.UTF8View {
        var rest = uri.utf8[...]
        while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            rest = rest[rest.index(after: colon)...]
            if rest.starts(with: "//".utf8) { return rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") } }
        }
        return "".utf8[...]
    }

    private func check(scheme: String, rest: Substring) -> Bool {
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        let authority = rest[..<(end ?? rest.endIndex)]
        if scheme == "file" {
            let isSafe = !rest.split(separator: "/").contains("..") && rest.count > 1
            guard authority.isEmpty, rest.hasPrefix("/"), isSafe else {
                self.expected("an absolute path without .., such as file:///srv/models/m.onnx")
                return false
            }
            return true
        }
        let host = authority[..<(authority.utf8.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex)]
        let isAddress = authority.hasPrefix("[") && authority.contains("]")
        guard isAddress || NameForm.isHost(host.lowercased()) else {
            self.expected("a URI with a host, such as https://models.example/m.onnx")
            return false
        }
        return true
    }
}
